from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from bench import webhooks
from bench.asks import asks
from bench.load import Kind, Load
from bench.programs import WEBHOOK_SECRET
from prepaid.core.checkouts import News, mismatches
from prepaid.payments import events, sessions
from prepaid.payments.events import Snapshot


async def test_events_are_signed_and_say_that_their_checkouts_are_paid(tmp_path: Path) -> None:
    deployment = uuid4()
    sale = await webhooks.sale(deployment)
    offers = [sale.offer(number) for number in range(3)]
    webhooks.write([sale.told(offer) for offer in offers], tmp_path / "events")
    load = Load(Kind.WEBHOOKS, 1, 1, 1, lines=str(tmp_path / "events"))
    told = []
    for offer, (_, asked) in zip(offers, asks(load), strict=True):
        head, _, body = asked.partition(b"\r\n\r\n")
        signature = head.decode().partition("Stripe-Signature: ")[2].partition("\r\n")[0]
        event = events.read(body, signature, [WEBHOOK_SECRET], datetime.now(UTC))
        assert isinstance(event, Snapshot)
        assert sessions.deployment_of(event.session) == str(deployment)
        assert mismatches(offer, sessions.claim_of(event.session)) == []
        assert events.news_of(event.type, event.session) is News.PAID
        told.append(event)
    assert len({event.event_id for event in told}) == len({one.session.id for one in told}) == 3
