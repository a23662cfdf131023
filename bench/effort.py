"""How long is measured: the whole form, and a quick one in which the figures are rough."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Seconds of each load, and how often. After `warm` a service has met nearly all accounts: the
    first charge of each has to read it."""

    rounds: int
    spell: int
    pgbench: int
    warm: int
    beats: int
    first_beats: int
    warm_scale: int
    starts: int
    before_crash: float
    after_crash: int


WHOLE = Effort(
    rounds=5,
    spell=5,
    pgbench=4,
    warm=6,
    beats=15,
    first_beats=10,
    warm_scale=25,
    starts=3,
    before_crash=2.0,
    after_crash=6,
)
QUICK = Effort(
    rounds=1,
    spell=2,
    pgbench=2,
    warm=1,
    beats=4,
    first_beats=2,
    warm_scale=5,
    starts=1,
    before_crash=0.5,
    after_crash=3,
)
