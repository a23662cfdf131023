from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import stripe

from prepaid.simulator import SimulatorConfig, contract
from prepaid.simulator.operations import OPERATIONS

OLD = "2025-09-30.clover"


def test_answers_carry_stripe_headers(v1: Any) -> None:
    product = v1.products.create({"name": "Credits"})
    headers = product.last_response.headers
    assert headers["request-id"].startswith("req_")
    assert headers["stripe-version"] == "2026-10-28.endive"


@pytest.mark.parametrize(
    ("key", "word"),
    [("sk_test_wrong0000", "Invalid API Key"), ("sk_live_" + "0" * 24, "never takes a live key")],
)
def test_a_wrong_key_is_401(simulated: Any, key: str, word: str) -> None:
    client = stripe.StripeClient(key, base_addresses={"api": simulated.url})
    with pytest.raises(stripe.AuthenticationError, match=word):
        client.v1.products.list()


def test_no_key_is_401(simulated: Any) -> None:
    answer = httpx.get(f"{simulated.url}/v1/products")
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")


def test_a_live_key_configures_nothing() -> None:
    with pytest.raises(ValueError, match="test keys only"):
        SimulatorConfig(api_key="sk_live_0000")


def test_an_unknown_route_is_named(simulated: Any) -> None:
    answer = simulated.raw("GET", "/v1/nothing")
    assert answer.status_code == 404
    assert "Unrecognized request URL (GET: /v1/nothing)" in answer.json()["error"]["message"]


def test_a_repeated_key_replays_the_answer(v1: Any) -> None:
    options = {"idempotency_key": "k1"}
    first = v1.customers.create({"email": "a@example.com"}, options)
    second = v1.customers.create({"email": "a@example.com"}, options)
    assert first.id == second.id
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.last_response.headers
    assert len(v1.customers.list().data) == 1


def test_a_key_used_for_something_else_is_refused(v1: Any) -> None:
    v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError) as refused:
        v1.customers.create({"email": "b@example.com"}, {"idempotency_key": "k1"})
    assert refused.value.http_status == 400


def test_a_refused_request_leaves_its_key_free(v1: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        v1.customers.create({"email": "a@example.com", "nonsense": 1}, {"idempotency_key": "k1"})
    assert v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k1"}).id


def test_a_declined_card_is_remembered_under_its_key(v1: Any) -> None:
    given = {
        "amount": 500,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_chargeDeclined",
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            v1.payment_intents.create(given, {"idempotency_key": "k1"})
    assert len(v1.charges.list().data) == 1


def test_a_key_that_is_in_use_is_409(
    simulated: Any, wait_for: Callable[[Callable[[], Any]], Any]
) -> None:
    simulated.control("faults/api", answer="slow", method="POST", path="/v1/customers", seconds=60)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(simulated.raw, "POST", "/v1/customers", "name=a", Idempotency_Key="k")
        wait_for(lambda: not simulated.control("faults", "GET")["api"])
        fast = simulated.raw("POST", "/v1/customers", "name=a", Idempotency_Key="k")
        assert (fast.status_code, fast.json()["error"]["code"]) == (409, "idempotency_key_in_use")
        simulated.control("faults", "DELETE")
        assert slow.result().status_code == 200


def test_the_sdk_survives_what_goes_wrong(simulated: Any) -> None:
    patient = simulated.client(max_network_retries=2).v1
    for answer in ("server_error", "lock_timeout", "lost_response", "lost_request"):
        simulated.control("faults/api", answer=answer, method="POST", path="/v1/customers")
        patient.customers.create({"name": answer})
    assert [c.name for c in patient.customers.list().data] == [
        "lost_request",
        "lost_response",
        "lock_timeout",
        "server_error",
    ]


def test_a_lost_response_was_executed(simulated: Any, v1: Any) -> None:
    simulated.control("faults/api", answer="lost_response", method="POST", path="/v1/customers")
    with pytest.raises(stripe.APIConnectionError):
        v1.customers.create({"name": "a"})
    assert len(v1.customers.list().data) == 1


def test_a_rate_limit_is_retried_only_when_told(simulated: Any) -> None:
    patient = simulated.client(max_network_retries=1).v1
    simulated.control("faults/api", answer="rate_limit", method="GET", path="/v1/prices")
    with pytest.raises(stripe.RateLimitError):
        patient.prices.list()
    simulated.control("faults/api", answer="rate_limit", method="GET", path="/v1/p*", retry=True)
    assert patient.prices.list().data == []


def test_faults_are_counted_and_cleared(simulated: Any, v1: Any) -> None:
    simulated.control("faults/api", answer="server_error", count=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            v1.prices.list()
    assert v1.prices.list().data == []
    simulated.control("faults/api", answer="server_error", count=9)
    simulated.control("faults", "DELETE")
    assert v1.prices.list().data == []


def test_an_older_version_may_use_the_older_words(simulated: Any, package: Any) -> None:
    text = (
        f"mode=payment&ui_mode=embedded&redirect_on_completion=never&line_items[0][quantity]=50"
        f"&line_items[0][price]={package.id}&payment_method_types[]=card"
    )
    old = simulated.raw("POST", "/v1/checkout/sessions", text, Stripe_Version=OLD).json()
    assert (old["ui_mode"], old["payment_method_types"]) == ("embedded", ["card"])
    none = simulated.raw("POST", "/v1/checkout/sessions", text).json()
    assert (none["ui_mode"], none["payment_method_types"]) == ("embedded_page", ["card"])
    new = simulated.raw("POST", "/v1/checkout/sessions", text, Stripe_Version="2026-10-28.endive")
    assert new.json()["error"]["code"] == "payment_method_types_no_longer_supported"
    odd = simulated.raw("GET", "/v1/prices", Stripe_Version="yesterday")
    assert odd.status_code == 400


@pytest.mark.parametrize(
    ("text", "code", "param"),
    [
        ("name=a&nam=b", "parameter_unknown", "nam"),
        ("name=a&metadata=x", None, "metadata"),
        ("address[cite]=x", "parameter_unknown", "address[cite]"),
        ("balance=many", "parameter_invalid_integer", "balance"),
        ("name=a&name[b]=c", None, "name[b]"),
        ("a]b=c", None, "a]b"),
        ("preferred_locales=en", "parameter_invalid_array", "preferred_locales"),
        ("tax_exempt=perhaps", None, "tax_exempt"),
        ("balance=", "parameter_invalid_empty", "balance"),
    ],
)
def test_a_request_that_breaks_the_contract_is_refused(
    simulated: Any, text: str, code: str | None, param: str
) -> None:
    answer = simulated.raw("POST", "/v1/customers", text)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error.get("code"), error["param"]) == (code, param)


def test_lists_come_in_three_spellings(simulated: Any, package: Any) -> None:
    start = "mode=payment&redirect_on_completion=never&ui_mode=embedded_page&"
    for lines in (
        f"line_items[0][price]={package.id}&line_items[0][quantity]=50",
        f"line_items[][price]={package.id}&line_items[][quantity]=50",
        f"line_items[7][quantity]=50&line_items[7][price]={package.id}",
    ):
        answer = simulated.raw("POST", "/v1/checkout/sessions", start + lines)
        assert answer.json()["amount_total"] == 500


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_each_operation_refuses_an_unknown_parameter(operation: contract.Operation) -> None:
    with pytest.raises(contract.Breach) as refused:
        contract.check_params(operation.params, {"simulator_probe": "x"})
    assert refused.value.code in {"parameter_unknown", "parameter_missing"}
    with pytest.raises(contract.Breach):
        contract.read_request(operation.params, {"simulator_probe": "x"})


@pytest.mark.parametrize(
    ("route", "given", "param"),
    [
        ("sessions", {"ui_mode": "embedded"}, "ui_mode"),
        ("sessions", {"payment_method_types": ["card"]}, "payment_method_types"),
        ("sessions", {"line_items": [{"price": "p", "quantity": "50"}]}, "line_items[0][quantity]"),
        ("sessions", {"line_items": [{"prise": "p"}]}, "line_items[0][prise]"),
        ("sessions", {"line_items": [{"quantity": True}]}, "line_items[0][quantity]"),
        ("prices", {"unit_amount": 5}, "currency"),
        (
            "prices",
            {"currency": "usd", "transform_quantity": {"divide_by": 5, "round": "nearest"}},
            "transform_quantity[round]",
        ),
    ],
)
def test_the_contract_refuses_what_the_sdk_would_send(
    route: str, given: dict[str, object], param: str
) -> None:
    found = {op.name: op for op in OPERATIONS}[f"{route}.create"]
    with pytest.raises(contract.Breach) as refused:
        contract.check_params(found.params, given)
    assert refused.value.param == param


def test_options_of_a_call_are_no_parameters() -> None:
    operation, path = contract.operation_for("POST", "/v1/prices/price_1") or (None, {})
    assert operation is not None
    assert path == {"id": "price_1"}
    contract.check_params(operation.params, {"nickname": "50"})
    assert contract.operation_for("PUT", "/v1/prices") is None


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"currency": None}, "currency"),
        ({"unit_amount": "500"}, "unit_amount"),
        ({"type": "sometimes"}, "type"),
        ({"transform_quantity": {"divide_by": 50}}, "transform_quantity[round]"),
        ({"metadata": {"a": 1}}, "metadata[a]"),
    ],
)
def test_an_object_that_breaks_the_contract_is_found(
    package: Any, change: dict[str, object], param: str
) -> None:
    price = package.to_dict()
    contract.check_object(price)
    with pytest.raises(contract.Breach) as found:
        contract.check_object({**price, **change})
    assert found.value.param == param
