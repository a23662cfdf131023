"""The gates: what has to be true for any figure to count. One that fails voids the whole run."""

from collections.abc import Iterable
from dataclasses import dataclass, field

BOOKS = "every balance is the sum of its account's entries"
ROWS = "there are as many entries as were acknowledged, those in flight aside"
ANSWERED = "every request of a measured load was answered, and accepted"
DISK = "what is committed is on a disk"
NEVER_BEYOND = "two processes accept no more than an account has"
KEPT = "no acknowledged charge is lost by a kill"
REPLAYED = "a replay is answered with the first outcome"

ALL = (BOOKS, ROWS, ANSWERED, DISK, NEVER_BEYOND, KEPT, REPLAYED)


@dataclass(frozen=True, slots=True)
class Gate:
    """One of them: how often it was looked at, and the first that was found wrong, if any."""

    name: str
    looked: int
    wrong: str

    @property
    def holds(self) -> bool:
        """Whether it was looked at, and nothing was wrong."""
        return self.looked > 0 and not self.wrong


@dataclass
class Gates:
    """What has been looked at so far."""

    _looked: dict[str, int] = field(default_factory=dict)
    _wrong: dict[str, str] = field(default_factory=dict)

    def look(self, name: str, *, holds: bool, said: str) -> None:
        """Takes what was seen at a gate; `said` is told if it doesn't hold."""
        self._looked[name] = self._looked.get(name, 0) + 1
        if not holds:
            self._wrong.setdefault(name, said)

    def look_at_rows(self, where: str, rows: int, acknowledged: int, in_flight: int) -> None:
        """More rows than answers may be those that were in flight when the load ended."""
        self.look(
            ROWS,
            holds=0 <= rows - acknowledged <= in_flight,
            said=f"{where}: {rows} entries, {acknowledged} acknowledged, {in_flight} in flight",
        )

    def look_at_books(self, where: str, wrong: int) -> None:
        """So many accounts have another balance than their entries make."""
        self.look(BOOKS, holds=wrong == 0, said=f"{where}: {wrong} accounts don't add up")

    def all(self) -> list[Gate]:
        """Every gate, in their order; one that nobody looked at too."""
        return [Gate(one, self._looked.get(one, 0), self._wrong.get(one, "")) for one in ALL]


def is_void(gates: Iterable[Gate]) -> bool:
    """Whether one of them failed. One that a part of a run had no reason to look at did not."""
    return any(gate.wrong for gate in gates)
