"""What an account has at an instant, with everything that burns reckoned to it."""

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.balances import balance_of
from prepaid.core.books import Account
from samples import AT, RUNNING

SECOND = timedelta(seconds=1)
LIMITED = replace(RUNNING, id=UUID(int=101), limit=Credits.of(20), reserved=Credits.of(20))
HOLD = replace(LIMITED, id=UUID(int=102), burning_rate=NOTHING)


def test_an_account_in_which_nothing_runs_has_what_is_posted() -> None:
    found = balance_of(Account("ada", Credits.of(50), 1), [], AT)
    assert (found.balance, found.available) == (Credits.of(50), Credits.of(50))
    assert (found.reserved, found.accrued, found.burning_rate) == (NOTHING, NOTHING, NOTHING)
    assert found.depletes_at is None


def test_what_burns_is_added_up() -> None:
    """After 4 seconds of two kernels at half a credit a second, and a hold."""
    running = [RUNNING, LIMITED, HOLD]
    account = Account(
        "ada", Credits.of(75), 1, reserved=Credits.of(55), shared_rate=RUNNING.burning_rate, open=3
    )
    found = balance_of(account, running, AT + 4 * SECOND)
    assert (found.balance, found.reserved, found.available) == (
        Credits.of(75),
        Credits.of(55),
        Credits.of(20),
    )
    assert found.accrued == Credits.of(4)
    assert found.burning_rate == Credits.of(1)
    assert found.reservations == (RUNNING, LIMITED, HOLD)
    assert found.account_uid == "ada"


def test_it_lasts_as_long_as_the_first_that_has_no_limit() -> None:
    """Its own 15 credits last 30 seconds, the other's 10 last 20; the 30 available 30 more."""
    other = replace(RUNNING, id=UUID(int=103), reserved=Credits.of(10))
    account = Account(
        "ada", Credits.of(75), 1, reserved=Credits.of(45), shared_rate=Credits.of(1), open=3
    )
    found = balance_of(account, [RUNNING, other, LIMITED], AT)
    assert found.depletes_at == AT + 50 * SECOND


def test_what_has_a_limit_does_not_deplete_the_account() -> None:
    account = Account("ada", Credits.of(40), 1, reserved=Credits.of(40), open=2)
    assert balance_of(account, [LIMITED, HOLD], AT).depletes_at is None
