"""A world for the client's steps: its clock goes only when somebody waits, or asks slowly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from prepaid_client.answers import Answer
from prepaid_client.asking import Asker, Heard, Retries, Send, Step

Reply = Heard | Callable[[float], Heard]
"""What is heard, or what that depends on: when the request was sent."""


@dataclass
class World:
    """What is replied to each request, the last for ever."""

    replies: Sequence[Reply]
    request_seconds: float = 0.0
    now: float = 0.0
    waits: list[float] = field(default_factory=list)
    sent: list[Send] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)

    def do(self, step: Step) -> Heard | None:
        """One step, done."""
        if isinstance(step, Send):
            return self._answer(step)
        self.waits.append(step.seconds)
        self.now += step.seconds
        return None

    def asker(self, retries: Retries, chance: float = 0.0) -> Asker:
        """Asks by this world's clock."""
        return Asker(retries, 10.0, lambda: self.now, lambda: chance)

    @property
    def paths(self) -> list[str]:
        """What was asked for."""
        return [one.call.path.rpartition("/")[2] for one in self.sent]

    def _answer(self, step: Send) -> Heard:
        self.sent.append(step)
        self.sent_at.append(sent_at := self.now)
        self.now += min(self.request_seconds, step.within_seconds)
        reply = self.replies[min(len(self.sent), len(self.replies)) - 1]
        return reply(sent_at) if callable(reply) else reply


def refused(status: int, code: str = "ledger_busy", **headers: str) -> Answer:
    """A problem document."""
    body = f'{{"code":"{code}","title":"T","detail":"D","status":{status}}}'
    told = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, told, body.encode(), 0.0)
