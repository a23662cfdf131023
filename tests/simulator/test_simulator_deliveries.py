import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import stripe

from prepaid.simulator import SimulatorConfig

Wait = Callable[[Callable[[], Any]], Any]
COMPLETED = "checkout.session.completed"


@pytest.fixture
def endpoint(v1: Any, receiver: Any) -> Any:
    return v1.webhook_endpoints.create(
        {
            "url": receiver.url,
            "enabled_events": [COMPLETED, "customer.created", "customer.deleted"],
            "api_version": "2026-10-28.endive",
        }
    )


def states(simulated: Any) -> list[str]:
    return [delivery["state"] for delivery in simulated.deliveries()]


def test_a_payment_is_told_and_signed(  # noqa: PLR0913, PLR0917 - its fixtures
    simulated: Any,
    v1: Any,
    receiver: Any,
    endpoint: Any,
    open_session: Callable[..., Any],
    wait_for: Wait,
) -> None:
    session = open_session(100, metadata={"order": "1"})
    simulated.control(f"sessions/{session.id}/pay")
    wait_for(lambda: receiver.heard)
    (event,) = receiver.signed(endpoint.secret)
    assert (event.type, event.api_version) == (COMPLETED, "2026-10-28.endive")
    told = event.data.object
    assert (told["id"], told["payment_status"], told["amount_total"]) == (session.id, "paid", 1000)
    assert told["metadata"]["order"] == "1"
    assert "line_items" not in told
    wait_for(lambda: v1.events.retrieve(event.id).pending_webhooks == 0)
    assert states(simulated) == ["delivered"]


def test_the_secret_is_shown_once(v1: Any, endpoint: Any) -> None:
    assert endpoint.secret.startswith("whsec_")
    assert "secret" not in v1.webhook_endpoints.retrieve(endpoint.id)
    assert "secret" not in v1.webhook_endpoints.list().data[0]


@pytest.mark.parametrize("answer", [500, 302, 404])
def test_what_is_not_2xx_is_tried_again(  # noqa: PLR0913, PLR0917 - its fixtures
    simulated: Any, v1: Any, receiver: Any, endpoint: Any, wait_for: Wait, answer: int
) -> None:
    receiver.answers = [answer, answer]
    v1.customers.create({"name": "a"})
    wait_for(lambda: states(simulated) == ["delivered"])
    (delivery,) = simulated.deliveries()
    assert [each["status"] for each in delivery["tries"]] == [answer, answer, 200]
    assert len({event.id for event in receiver.signed(endpoint.secret)}) == 1


class TestFreshSignatures:
    @pytest.fixture
    def config(self) -> SimulatorConfig:
        return SimulatorConfig(retry_seconds=(0.01,))

    def test_each_try_is_signed_afresh(
        self, simulated: Any, v1: Any, receiver: Any, endpoint: Any, wait_for: Wait
    ) -> None:
        receiver.answers = [500]
        receiver.goes_on.clear()
        simulated.control("clock", offset_seconds=-1000)
        v1.customers.create({"name": "a"})
        wait_for(lambda: receiver.heard)
        simulated.control("clock", offset_seconds=0)
        receiver.goes_on.set()
        wait_for(lambda: len(receiver.heard) > 1)
        headers, body = receiver.heard[0]
        with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
            stripe.Webhook.construct_event(body, headers["stripe-signature"], endpoint.secret)
        headers, body = receiver.heard[1]
        assert stripe.Webhook.construct_event(body, headers["stripe-signature"], endpoint.secret)


class TestGivingUp:
    @pytest.fixture
    def config(self) -> SimulatorConfig:
        return SimulatorConfig(retry_seconds=(0.01, 0.01))

    @pytest.mark.usefixtures("endpoint")
    def test_a_delivery_fails_after_the_last_pause(
        self, simulated: Any, v1: Any, receiver: Any, wait_for: Wait
    ) -> None:
        receiver.answers = [500] * 9
        v1.customers.create({"name": "a"})
        wait_for(lambda: states(simulated) == ["failed"])
        assert len(receiver.heard) == 3
        event = v1.events.list({"delivery_success": False}).data[0]
        assert (event.type, event.pending_webhooks) == ("customer.created", 0)
        assert not v1.events.list({"delivery_success": True, "type": "customer.created"}).data

    def test_nobody_at_home_is_a_failure_too(self, simulated: Any, v1: Any, wait_for: Wait) -> None:
        v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
        v1.customers.create({"name": "a"})
        wait_for(lambda: states(simulated) == ["failed"])
        assert "ConnectError" in simulated.deliveries()[0]["tries"][0]["error"]


@pytest.mark.usefixtures("endpoint")
def test_an_event_may_be_told_twice(simulated: Any, v1: Any, receiver: Any, wait_for: Wait) -> None:
    simulated.control("faults/deliveries", fault="duplicate", type="customer.created", copies=3)
    v1.customers.create({"name": "a"})
    wait_for(lambda: states(simulated) == ["delivered"])
    assert len(receiver.heard) == 3
    assert len({body["id"] for body in receiver.bodies()}) == 1


@pytest.mark.usefixtures("endpoint")
def test_an_event_may_be_told_twice_at_once(
    simulated: Any, v1: Any, receiver: Any, wait_for: Wait
) -> None:
    simulated.control("faults/deliveries", fault="parallel", copies=4)
    v1.customers.create({"name": "a"})
    wait_for(lambda: states(simulated) == ["delivered"] * 4)
    assert len({body["id"] for body in receiver.bodies()}) == 1


@pytest.mark.usefixtures("endpoint")
def test_an_event_may_be_told_late(simulated: Any, v1: Any, receiver: Any, wait_for: Wait) -> None:
    simulated.control("faults/deliveries", fault="delay", seconds=0.3)
    began = time.monotonic()
    v1.customers.create({"name": "a"})
    wait_for(lambda: receiver.heard)
    assert time.monotonic() - began >= 0.3


@pytest.mark.usefixtures("endpoint")
def test_events_may_come_in_the_wrong_order(
    simulated: Any, v1: Any, receiver: Any, wait_for: Wait
) -> None:
    simulated.control("faults/deliveries", fault="reorder", type="customer.created", seconds=60)
    customer = v1.customers.create({"name": "a"})
    v1.customers.delete(customer.id)
    wait_for(lambda: len(receiver.heard) == 2)
    assert [body["type"] for body in receiver.bodies()] == ["customer.deleted", "customer.created"]


def test_an_event_may_be_lost_and_found(
    simulated: Any, v1: Any, receiver: Any, endpoint: Any, wait_for: Wait
) -> None:
    simulated.control("faults/deliveries", fault="lose")
    v1.customers.create({"name": "a"})
    assert states(simulated) == ["lost"]
    (event,) = v1.events.list({"delivery_success": False, "types": ["customer.created"]}).data
    again = simulated.raw("POST", f"/v1/events/{event.id}/retry", f"webhook_endpoint={endpoint.id}")
    assert again.status_code == 200
    wait_for(lambda: receiver.heard)
    assert receiver.bodies()[0]["id"] == event.id


@pytest.mark.usefixtures("endpoint")
def test_deliveries_are_held_until_they_are_let_go(
    simulated: Any, v1: Any, receiver: Any, wait_for: Wait
) -> None:
    simulated.control("faults/deliveries", fault="hold", type="customer.*")
    v1.customers.create({"name": "a"})
    v1.customers.create({"name": "b"})
    assert states(simulated) == ["held", "held"]
    assert v1.events.list({"limit": 1}).data[0].pending_webhooks == 1
    assert simulated.control("deliveries/release") == {"released": 2}
    wait_for(lambda: len(receiver.heard) == 2)
    v1.customers.create({"name": "c"})
    wait_for(lambda: len(receiver.heard) == 3)


def test_an_endpoint_hears_what_it_asked_for(
    simulated: Any, v1: Any, receiver: Any, endpoint: Any, wait_for: Wait
) -> None:
    v1.products.create({"name": "Credits"})
    v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    v1.customers.create({"name": "silent"})
    v1.webhook_endpoints.update(endpoint.id, {"disabled": False, "enabled_events": ["*"]})
    v1.products.create({"name": "Heard"})
    wait_for(lambda: receiver.heard)
    v1.webhook_endpoints.delete(endpoint.id)
    v1.customers.create({"name": "gone"})
    assert [body["type"] for body in receiver.bodies()] == ["product.created"]
    assert len(simulated.deliveries()) == 1


def test_an_older_endpoint_hears_older_words(
    simulated: Any,
    v1: Any,
    receiver: Any,
    open_session: Callable[..., Any],
    wait_for: Wait,
) -> None:
    v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": [COMPLETED], "api_version": "2025-09-30.clover"}
    )
    session = open_session()
    simulated.control(f"sessions/{session.id}/pay")
    wait_for(lambda: receiver.heard)
    (body,) = receiver.bodies()
    assert body["api_version"] == "2025-09-30.clover"
    assert body["data"]["object"]["ui_mode"] == "embedded"


def test_a_thin_event_names_its_object_and_the_snapshot(  # noqa: PLR0913, PLR0917 - its fixtures
    simulated: Any,
    v1: Any,
    receiver: Any,
    endpoint: Any,
    open_session: Callable[..., Any],
    wait_for: Wait,
) -> None:
    simulated.control(f"webhook_endpoints/{endpoint.id}", event_payload="thin")
    session = open_session()
    simulated.control(f"sessions/{session.id}/pay")
    wait_for(lambda: receiver.heard)
    headers, body = receiver.heard[0]
    client = simulated.client()
    note = client.parse_event_notification(body, headers["stripe-signature"], endpoint.secret)
    assert note.type == "v1.checkout.session.completed"
    assert note.related_object.id == session.id
    assert note.fetch_related_object().payment_status == "paid"
    snapshot = v1.events.retrieve(json.loads(body)["snapshot_event"])
    assert snapshot.type == COMPLETED
    assert note.fetch_event().id == note.id
    with pytest.raises(ValueError, match="parse_event_notification"):
        client.construct_event(body, headers["stripe-signature"], endpoint.secret)


class TestPinnedSecret:
    @pytest.fixture
    def config(self) -> SimulatorConfig:
        return SimulatorConfig(webhook_secret="whsec_pinned")

    def test_the_first_endpoint_gets_the_pinned_secret(self, v1: Any, receiver: Any) -> None:
        given = {"url": receiver.url, "enabled_events": ["*"]}
        assert v1.webhook_endpoints.create(given).secret == "whsec_pinned"
        assert v1.webhook_endpoints.create(given).secret != "whsec_pinned"


def test_a_restart_finds_everything_again(
    restartable: Callable[[], Any], receiver: Any, wait_for: Wait
) -> None:
    before = restartable()
    v1: Any = before.client().v1
    endpoint = v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    before.control("faults/deliveries", fault="hold")
    customer = v1.customers.create({"name": "a"}, {"idempotency_key": "k"})
    before.stop()
    assert not receiver.heard
    after = restartable()
    v1 = after.client().v1
    assert v1.customers.create({"name": "a"}, {"idempotency_key": "k"}).id == customer.id
    assert after.control("deliveries/release") == {"released": 1}
    wait_for(lambda: receiver.heard)
    (event,) = receiver.signed(endpoint.secret)
    assert event.data.object["id"] == customer.id


@pytest.mark.usefixtures("package")
def test_a_reset_forgets_everything(simulated: Any, v1: Any) -> None:
    simulated.control("faults/api", answer="server_error", count=9)
    assert simulated.control("reset") == {"reset": True}
    assert v1.prices.list().data == []
    assert simulated.control("state", "GET")["objects"] == {}


def test_the_control_plane_takes_json_only(simulated: Any) -> None:
    answer = simulated.raw("POST", "/_simulator/reset", "a=b")
    assert answer.status_code == 415
    wrong = simulated.raw(
        "POST", "/_simulator/faults/api", '{"answer": "x"}', Content_Type="application/json"
    )
    assert wrong.json()["error"]["param"] == "answer"


def test_an_address_that_nothing_can_be_sent_to_does_not_end_the_others_deliveries(
    v1: Any, receiver: Any, wait_for: Wait
) -> None:
    types = ["customer.created"]
    v1.webhook_endpoints.create({"url": "http://127.0.0.1:99999/", "enabled_events": types})
    v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": types})
    v1.customers.create({"name": "a"})
    wait_for(lambda: len(receiver.heard) == 1)
    v1.customers.create({"name": "b"})
    wait_for(lambda: len(receiver.heard) == 2)


def test_a_job_whose_object_is_gone_does_not_end_what_happens_by_itself(
    restartable: Callable[[], Any], tmp_path: Path, receiver: Any, wait_for: Wait
) -> None:
    v1 = restartable().client().v1
    with closing(sqlite3.connect(tmp_path / "stripe.sqlite")) as store, store:
        store.execute("INSERT INTO later (due, job, object) VALUES (0, 'settle', 'cs_gone')")
    v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.created"]})
    v1.customers.create({"name": "a"})
    wait_for(lambda: receiver.heard)
    with closing(sqlite3.connect(tmp_path / "stripe.sqlite")) as store:
        assert store.execute("SELECT count(*) FROM later").fetchone() == (0,)
