from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from local_service import House, bearer, refused, token
from prepaid.settings import read_settings
from prepaid.web.app import create_app

DOCUMENT = "/api/iam/v1/openapi.json"
OPEN = {"/healthz", "/readyz", "/api/iam/version", "/api/iam/v1/ping", "/api/iam/stripe/v1/prices"}

# What these ask for may have the right shape and still be refused for what it means.
MEANT = {
    "DELETE /api/iam/v1/usage/credits",
    "GET /api/iam/stripe/v1/checkout/sessions",
    "GET /api/iam/v1/usage/balance-history",
    "GET /api/iam/v1/usage/entries",
    "GET /api/iam/v1/usage/platform",
    "GET /api/iam/v1/usage/spending",
    "GET /api/iam/v1/usage/user",
    "GET /api/iam/v1/usage/users/{account_uid}",
    "POST /api/iam/stripe/v1/checkout/session",
    "POST /api/iam/stripe/v1/webhook",
    "POST /api/iam/v1/accounts",
    "POST /api/iam/v1/accounts/{account_uid}/grants",
    "POST /api/iam/v1/accounts/{account_uid}/grants/{grant_id}/reversal",
    "POST /api/iam/v1/api-keys",
    "POST /api/iam/v1/usage/charges",
    "POST /api/iam/v1/usage/reservations",
    "POST /api/iam/v1/usage/reservations/{reservation_id}/extension",
    "POST /api/iam/v1/usage/reservations/{reservation_id}/settlement",
    "PUT /api/iam/v1/usage/reservations/{reservation_id}/burning-rate",
}

JSON = ["application/json"]
WRITTEN = {
    "/api/iam/stripe/v1/checkout/sessions": [*JSON, "text/csv"],
    "/api/iam/v1/usage/entries": [*JSON, "text/csv"],
    "/api/iam/v1/usage/stream": ["text/event-stream"],
}
"""What answers are written in, where JSON is not all."""

# The document is the same for every deployment.
STRIPE = {
    "DATALAYER_STRIPE_API_KEY": "sk_test_1",
    "DATALAYER_STRIPE_JS_API_KEY": "pk_test_1",
    "DATALAYER_STRIPE_PRODUCT_ID": "prod_1",
    "DATALAYER_STRIPE_WEBHOOK_SECRET": "whsec_1",
}
SCHEMA = schemathesis.openapi.from_dict(create_app(read_settings(**STRIPE)).openapi())
SCHEMA.config.max_stream_events = 1  # a stream goes on for ever
OPERATIONS = [cast("Any", found).ok() for found in SCHEMA.get_all_operations()]

few = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="session")
def tokens(shared: House) -> dict[str, str]:
    """A user's token, and an operator's."""
    return {"user": token("fuzz"), "operator": shared.admin()}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("who", ["user", "operator"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_everybody_is_answered_as_the_document_says(
    house: House, tokens: dict[str, str], operation: Any, who: str, mode: GenerationMode
) -> None:
    beside = ["positive_data_acceptance"] if operation.label in MEANT else []
    if operation.method == "get":  # what nobody reads in a query is not refused
        beside.append("negative_data_rejection")

    @few
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:  # schemathesis types it by the specification's version
        case.call_and_validate(
            base_url=house.url,
            headers=bearer(tokens[who]),
            excluded_checks=CHECKS.get_by_names(beside),
        )

    try:
        check()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "nothing can be asked for"


def test_every_route_says_how_it_refuses(house: House) -> None:
    document = house.get(DOCUMENT)
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                kinds = ["application/problem+json"] if status >= "400" else WRITTEN.get(path, JSON)
                assert list(response["content"]) == kinds, path
            guarded = path not in OPEN and not path.endswith("webhook")
            assert ("401" in operation["responses"]) is guarded, path
            assert ("security" in operation) is guarded, path


def test_every_route_refuses_other_methods(house: House) -> None:
    for path, methods in house.get(DOCUMENT)["paths"].items():
        for method in {"get", "post", "put", "delete", "patch"} - methods.keys():
            answer = house.ask(method.upper(), path)
            refused(answer, 405, "method_not_allowed")
            assert answer.headers["allow"], path
