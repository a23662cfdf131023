"""What reservations claim, whatever is asked and whenever: nothing is lost, nothing is made."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import datetime
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from desks import HALF, HOLD, LIMITED, MICROSECOND, MINE, Desk, books, seconds
from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.books import Books
from prepaid.core.commands import (
    Beat,
    ChangeRate,
    Charge,
    Command,
    Expire,
    Extend,
    Give,
    Held,
    Lapse,
    Open,
    Release,
    Reverse,
    Settle,
)
from prepaid.core.entries import Kind
from prepaid.core.errors import Refusal
from prepaid.core.grants import due
from prepaid.core.ledger import decide
from prepaid.core.reservations import Reservation, State, has_run_out
from samples import AT, KERNEL, granted

GRANTS = (
    granted(1, 60),
    granted(2, 9, Kind.PROMOTION, days=1),
    replace(granted(3, 8, Kind.PROMOTION), expires_at=AT + seconds(25)),
    replace(granted(4, 7), expires_at=AT + seconds(45)),
)
OPENED = [UUID(int=number) for number in range(101, 108)]
"""The ids of what each history begins with, and of the first two that it opens."""

instants = st.integers(0, 60).map(lambda count: AT + seconds(count))
amounts = st.one_of(st.integers(0, 30).map(Credits.of), st.integers(0, 30_000_000).map(Credits))
ids = st.sampled_from([*OPENED[:5] * 3, *OPENED[5:], UUID(int=99)])
askers = st.sampled_from([None, None, None, "ada", "bob"])
keys = st.sampled_from(["kernel", "limited", "hold", "lost", "a", "b"])
opens = st.builds(
    replace,
    st.sampled_from([KERNEL, MINE, LIMITED, HOLD]),
    key=keys,
    burning_rate=st.sampled_from([HALF, Credits(333_333), Credits.of(1), NOTHING]),
    account_uid=st.sampled_from(["ada", "ada", "ada", "bob"]),
)
gives = st.builds(
    Give,
    id=st.uuids(),
    account_uid=st.sampled_from(["ada", "bob"]),
    key=st.uuids().map(str),
    credits=amounts,
    kind=st.sampled_from([Kind.PROMOTION, Kind.PURCHASE]),
    reason=st.just(""),
    actor=st.just("grace"),
    expires_at=st.none() | instants,
)
charges = st.builds(
    Charge,
    id=st.uuids(),
    account_uid=st.just("ada"),
    key=st.uuids().map(str),
    credits=amounts,
    resource=st.just("tokens"),
    reason=st.just(""),
    actor=st.just("runner"),
)
reversals = st.builds(
    Reverse,
    id=st.uuids(),
    account_uid=st.just("ada"),
    key=st.uuids().map(str),
    grant_id=st.sampled_from([one.id for one in GRANTS]),
    credits=st.none() | amounts,
    reason=st.just(""),
    actor=st.just("grace"),
)
holdings = st.one_of(
    st.builds(Beat, ids, askers),
    st.builds(Beat, ids, st.none()),
    st.builds(Extend, ids, askers, st.none() | amounts),
    st.builds(ChangeRate, ids, askers, st.sampled_from([HALF, Credits(1), Credits.of(2), NOTHING])),
    st.builds(Settle, ids, askers, st.none() | amounts),
    st.builds(Release, ids, askers),
    st.builds(Lapse, ids, st.just(AT)),
)
commands = st.one_of(opens, holdings, holdings, gives, charges, reversals, st.just(Expire("ada")))
pauses = st.one_of(st.just(0.0), st.sampled_from([1.0, 5.0, 10.0]), st.floats(0, 40), st.just(-2.0))
histories = st.lists(st.tuples(pauses, commands), min_size=3, max_size=25)


def begun() -> Desk:
    """A desk at which a kernel, one with a limit and a hold run, one waits for its first
    heartbeat, and one was lost."""
    desk = Desk(books(*GRANTS), AT - seconds(30), warn=(20, 5))
    gone = desk.run(replace(LIMITED, key="lost"))
    desk.wait(30).sweep(gone, grace_from=AT - seconds(30))
    for asked in (KERNEL, LIMITED, HOLD):
        desk.run(replace(asked, key=asked.key.removesuffix("-1")))
    desk.open(replace(MINE, key="a", burning_rate=Credits(333_333)))
    return desk


unhurried = settings(deadline=None)
"""A history is as long as it is, on a machine that others use too."""

Check = Callable[[Desk, Command], None]


def happened(history: Sequence[tuple[float, Command]], check: Check | None = None) -> Desk:
    """The desk after a history; each command was checked before it was asked."""
    desk = begun()
    for pause, asked in history:
        command = asked
        if isinstance(asked, Open):
            command = replace(asked, id=UUID(int=101 + len(desk.books.reservations)))
        desk.wait(pause)
        if check is not None:
            check(desk, command)
        desk.ask(command)
    return desk


def running(state: Books) -> list[Reservation]:
    return [one for one in state.reservations.values() if one.is_open]


def total(amounts_: Sequence[Credits]) -> Credits:
    return Credits(sum(one.micro for one in amounts_))


@unhurried
@given(histories)
def test_an_accounts_row_says_what_its_reservations_claim(
    history: Sequence[tuple[float, Command]],
) -> None:
    def check(desk: Desk, _: Command) -> None:
        for uid, account in desk.books.accounts.items():
            mine = [one for one in running(desk.books) if one.account_uid == uid]
            assert account.reserved == total([one.reserved for one in mine])
            assert NOTHING <= account.reserved <= account.balance
            unlimited = [one.burning_rate for one in mine if one.limit is None]
            assert (account.shared_rate, account.open) == (total(unlimited), len(mine))
            left = [one.remaining for one in desk.books.grants[uid].values()]
            assert min(left, default=NOTHING) >= NOTHING
            assert total(left) == account.balance

    check(happened(history, check), Expire("ada"))


@unhurried
@given(histories)
def test_what_was_granted_is_there_or_was_spent_or_expired_or_was_taken_back(
    history: Sequence[tuple[float, Command]],
) -> None:
    desk = happened(history)
    state = desk.books
    assert desk.spent[0] == Credits.of(5)
    for uid, account in state.accounts.items():
        posted = [one for one in desk.entries if one.account_uid == uid]
        before = books(*GRANTS).accounts[uid].balance
        assert account.balance == before + total([one.credits for one in posted])
        settled = [-one.credits for one in posted if one.kind is Kind.SETTLEMENT]
        ended = [one for one in state.reservations.values() if one.account_uid == uid]
        assert total(settled) == total([one.spent for one in ended])
        assert account.last_notice == sum(one.account_uid == uid for one in desk.notices)


@unhurried
@given(histories)
def test_a_reservation_costs_what_it_reserved_at_most_and_all_epochs_no_more_than_the_limit(
    history: Sequence[tuple[float, Command]],
) -> None:
    for one in happened(history).books.reservations.values():
        assert NOTHING <= one.spent <= one.reserved
        assert (one.ended_at is None) == one.is_open
        assert one.ended_at is None or one.ended_at >= one.started_at
        if one.limit is not None:
            assert one.spent_before + one.reserved <= one.limit


@unhurried
@given(histories)
def test_a_refused_command_leaves_only_what_time_had_done(
    history: Sequence[tuple[float, Command]],
) -> None:
    def check(desk: Desk, command: Command) -> None:
        state = deepcopy(desk.books)
        decision = decide(state, [command], desk.at, desk.warn)
        if isinstance(decision.outcomes[0], Refusal) and not time_has_come(desk, command):
            assert state == desk.books
            assert not decision.entries
            assert not decision.notices
            assert not decision.accounts

    happened(history, check)


def time_has_come(desk: Desk, command: Command) -> bool:
    """Whether a grant has expired, or what the command names has run out. What is pending can't,
    but a heartbeat confirms it first."""
    if any(due(mine.values(), desk.at) for mine in desk.books.grants.values()):
        return True
    if isinstance(command, Beat | Extend | ChangeRate | Settle | Release | Lapse):
        one = desk.books.reservations.get(command.reservation_id)
        counts = {State.RUNNING, State.PENDING} if isinstance(command, Beat) else {State.RUNNING}
        return one is not None and one.state in counts and has_run_out(one, desk.at)
    return False


@unhurried
@given(histories)
def test_time_ends_nothing_before_it_is_due_and_what_was_swept_is_not_due(
    history: Sequence[tuple[float, Command]],
) -> None:
    def check(desk: Desk, _: Command) -> None:
        for one in running(desk.books):
            early = swept(desk.books, one.id, one.due_at - MICROSECOND)
            assert early.state is one.state
            if (late := swept(desk.books, one.id, desk.at)).is_open:
                assert late.due_at > desk.at

    happened(history, check)


def swept(state: Books, id_: UUID, at: datetime) -> Reservation:
    """What time would have made of it by an instant."""
    (held,) = decide(deepcopy(state), [Lapse(id_, AT)], at).outcomes
    assert isinstance(held, Held)
    return held.reservation


@unhurried
@given(histories)
def test_no_credits_are_claimed_for_ever(history: Sequence[tuple[float, Command]]) -> None:
    """When nobody asks for anything any more, sweeping when something is due ends it all."""
    desk = happened(history)
    for _ in range(20 * len(desk.books.reservations)):
        if left := running(desk.books):
            first = min(left, key=lambda one: one.due_at)
            desk.at = max(desk.at, first.due_at)
            desk.sweep(first.id)
    assert running(desk.books) == []
    assert {one.reserved for one in desk.books.accounts.values()} == {NOTHING}
    desk.ask(Expire("ada"), Expire("bob"))
    assert not any(due(mine.values(), desk.at) for mine in desk.books.grants.values())


@unhurried
@given(histories, st.lists(commands, max_size=8), st.integers(0, 8))
def test_a_batch_equals_its_two_halves_one_after_the_other(
    history: Sequence[tuple[float, Command]], batch: Sequence[Command], at: int
) -> None:
    batch = [
        replace(one, id=UUID(int=5000 + number)) if isinstance(one, Open) else one
        for number, one in enumerate(batch)
    ]
    whole = happened(history)
    halves = deepcopy(whole)
    together = whole.ask(*batch)
    apart = [*halves.ask(*batch[:at]), *halves.ask(*batch[at:])]
    assert list(map(repr, together)) == list(map(repr, apart))
    assert (whole.books, whole.entries) == (halves.books, halves.entries)
    assert whole.notices == halves.notices
