"""The express way to PostgreSQL: one statement for a batch, which is its own transaction."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from prepaid.core.books import Account
from prepaid.core.checkouts import Checkout
from prepaid.core.grants import Grant, ordered
from prepaid.core.reservations import Reservation
from prepaid.storage import accounts, checkouts, entries, grants, inbox, reservations, tables
from prepaid.storage.direct import Postgres
from prepaid.storage.express import Change, Stale
from prepaid.storage.rows import Rows
from prepaid.storage.statements import Statement, Unlisted
from prepaid.storage.tables import microseconds

_DIALECT = postgresql()  # type: ignore[no-untyped-call]  # SQLAlchemy types no dialect's maker
_ACCOUNTS = Rows(accounts.BOOKED, _DIALECT)
_GRANTS = Rows([*tables.grants.columns], _DIALECT)
_RESERVATIONS = Rows(reservations.COLUMNS, _DIALECT)
_CHECKOUTS = Rows([*tables.checkouts.columns], _DIALECT)
_ENTRIES = Rows([*tables.entries.columns], _DIALECT)
_INBOX = Rows([*tables.inbox.columns], _DIALECT)

FIND_ACCOUNTS = f"""
SELECT {_ACCOUNTS.columns}, {_GRANTS.columns}
FROM accounts LEFT JOIN grants ON grants.account_uid = accounts.uid AND grants.unspent
WHERE accounts.uid = ANY($1)
"""  # noqa: S608 - names of columns
FIND_RESERVATIONS = _RESERVATIONS.where("id = ANY($1)")
FIND_CHECKOUTS = _CHECKOUTS.where("id = ANY($1)")

CHANGED = """
    UPDATE accounts SET balance = new.balance, last_entry = new.last_entry
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
        AS new (uid, old_balance, old_entry, reserved, balance, last_entry)
    WHERE accounts.uid = new.uid AND accounts.balance = new.old_balance
        AND accounts.last_entry = new.old_entry AND accounts.reserved = new.reserved
    RETURNING 1
"""

STALE = "CAST('stale at ' || clock_timestamp() AS integer)"
"""What fails, and a statement with it. It is worked out when it is come to, as what has a clock in
it is: a constant would fail before anything was looked at."""

CHARGE = Statement(f"""
WITH changed AS ({CHANGED}), drawn AS (
    UPDATE grants SET remaining = new.remaining, unspent = new.remaining > 0
    FROM unnest($7::text[], $8::uuid[], $9::bigint[]) AS new (uid, id, remaining)
    WHERE grants.account_uid = new.uid AND grants.id = new.id
    RETURNING 1
), posted AS (
    INSERT INTO entries (account_uid, number, id, kind, credits, balance, at, key, fingerprint,
        source, reason, actor)
    SELECT uid, number, id, 'charge', credits, balance, $10, key, fingerprint, source, reason, actor
    FROM unnest($11::text[], $12::bigint[], $13::uuid[], $14::bigint[], $15::bigint[], $16::text[],
        $17::bytea[], $18::text[], $19::text[], $20::text[])
        AS new (uid, number, id, credits, balance, key, fingerprint, source, reason, actor)
)
SELECT CASE WHEN (SELECT count(*) FROM changed) = cardinality($1) THEN
    CASE WHEN (SELECT count(*) FROM drawn) = cardinality($7) THEN 0 ELSE {STALE} END
ELSE {STALE} END
""")  # noqa: S608 - statements of our own
"""It fails where an account or a grant is not as it was. The accounts come first, and are locked
before anything else, as on the long way."""

_GRANTED = 17
_POSTED = _GRANTED + _GRANTS.width
_KEPT = _POSTED + _ENTRIES.width
"""Where the parameters of each begin in the next statement."""

TELL = Statement(f"""
WITH changed AS ({CHANGED}), advanced AS (
    UPDATE checkouts SET state = new.state, session_id = new.session_id,
        payment_intent = new.payment_intent, paid_minor = new.paid_minor,
        paid_currency = new.paid_currency, credited_at = new.credited_at
    FROM unnest($7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
        $13::text[], $14::bigint[], $15::text[], $16::bigint[])
        AS new (id, old_state, old_session_id, old_payment_intent, state, session_id,
            payment_intent, paid_minor, paid_currency, credited_at)
    WHERE checkouts.id = new.id AND checkouts.state = new.old_state
        AND checkouts.session_id IS NOT DISTINCT FROM new.old_session_id
        AND checkouts.payment_intent IS NOT DISTINCT FROM new.old_payment_intent
    RETURNING 1
), granted AS ({_GRANTS.into(_GRANTS.listed(_GRANTED))}
), posted AS ({_ENTRIES.into(_ENTRIES.listed(_POSTED))}
), kept AS ({_INBOX.into(_INBOX.listed(_KEPT))})
SELECT CASE WHEN (SELECT count(*) FROM changed) = cardinality($1) THEN
    CASE WHEN (SELECT count(*) FROM advanced) = cardinality($7) THEN 0 ELSE {STALE} END
ELSE {STALE} END
""")  # noqa: S608 - statements of our own

BEAT = Statement(f"""
WITH old AS (
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS old (uid, balance, last_entry, reserved, new_reserved)
), same AS (
    SELECT count(*) FROM accounts JOIN old USING (uid, balance, last_entry, reserved)
), changed AS (
    UPDATE accounts SET reserved = old.new_reserved FROM old
    WHERE accounts.uid = old.uid AND accounts.balance = old.balance
        AND accounts.last_entry = old.last_entry AND accounts.reserved = old.reserved
        AND old.new_reserved <> old.reserved
    RETURNING 1
), beaten AS (
    UPDATE reservations SET state = new.state, reserved = new.reserved, beat_at = new.beat_at,
        due_at = new.due_at, warned = new.warned
    FROM unnest($6::text[], $7::uuid[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[],
        $12::bigint[], $13::text[], $14::bigint[], $15::bigint[], $16::bigint[], $17::integer[])
        AS new (uid, id, old_state, old_reserved, old_rated_at, old_beat_at, old_due_at,
            state, reserved, beat_at, due_at, warned)
    WHERE reservations.account_uid = new.uid AND reservations.id = new.id
        AND reservations.state = new.old_state AND reservations.reserved = new.old_reserved
        AND reservations.rated_at = new.old_rated_at AND reservations.beat_at = new.old_beat_at
        AND reservations.due_at = new.old_due_at
    RETURNING 1
)
SELECT CASE WHEN (SELECT * FROM same) = cardinality($1)
    AND (SELECT count(*) FROM changed) = (SELECT count(*) FROM old WHERE new_reserved <> reserved)
    THEN CASE WHEN (SELECT count(*) FROM beaten) = cardinality($7) THEN 0 ELSE {STALE} END
ELSE {STALE} END
""")  # noqa: S608 - statements of our own


NO_INTEGER, CONSTRAINT, COLLISION = "22P02", "23", "40"
REFUSED = (NO_INTEGER, CONSTRAINT, COLLISION)
"""What SQLSTATEs begin with when another process was quicker: the cast above, a constraint that
another row hurts, a deadlock. Behind a constraint there is a key that was used before."""


class PostgresDriver:
    """The express way over a connection of one's own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._direct = Postgres(engine)

    async def accounts(self, uids: Sequence[str]) -> dict[str, tuple[Account, dict[UUID, Grant]]]:
        """The accounts there are among these, with what they can spend."""
        rows = [tuple(row) for row in await self._direct.fetch(FIND_ACCOUNTS, uids)]
        split = _ACCOUNTS.width  # behind an account's values stand those of a grant, or none
        held: dict[str, list[Grant]] = {row[0]: [] for row in rows}
        for row in _GRANTS.read([row[split:] for row in rows if row[split] is not None]):
            held[row.account_uid].append(grants.grant_of(row))
        booked = {row.uid: row for row in _ACCOUNTS.read([row[:split] for row in rows])}
        return {uid: (Account(*row), ordered(held[uid])) for uid, row in booked.items()}

    async def reservations(self, ids: Sequence[UUID]) -> dict[UUID, Reservation]:
        """The reservations there are among these."""
        found = _RESERVATIONS.read(await self._direct.fetch(FIND_RESERVATIONS, ids))
        return {row.id: reservations.reservation_of(row) for row in found}

    async def checkouts(self, ids: Sequence[UUID]) -> dict[UUID, Checkout]:
        """The checkouts there are among these."""
        found = _CHECKOUTS.read(await self._direct.fetch(FIND_CHECKOUTS, ids))
        return {row.id: checkouts.checkout_of(row) for row in found}

    async def save_charges(self, change: Change) -> None:
        """Saves accounts, entries, and what is left of grants, or (Stale) nothing."""
        await self._save(CHARGE, _charged(change))

    async def save_beats(self, change: Change) -> None:
        """Saves reservations, and what accounts have reserved for them, or (Stale) nothing."""
        await self._save(BEAT, _beaten(change))

    async def save_told(self, change: Change) -> None:
        """Saves accounts, entries, grants, checkouts and events, or (Stale) nothing."""
        await self._save(TELL, _told(change))

    async def close(self) -> None:
        """Gives the connection back."""
        await self._direct.close()

    async def _save(self, statement: Statement, values: Sequence[object]) -> None:
        try:
            filled, parameters = statement.filled(values)
            await self._direct.change(filled, *parameters)
        except Unlisted:
            raise Stale from None
        except Exception as error:
            state = _state(error) or _state(error.__cause__)
            if not state.startswith(REFUSED):
                raise
            raise Stale(try_again=not state.startswith(CONSTRAINT)) from error


def _state(error: BaseException | None) -> str:
    """A driver's error's SQLSTATE; empty for any other."""
    return getattr(error, "sqlstate", None) or ""


def _charged(change: Change) -> list[object]:
    """The values of CHARGE."""
    drawn = list(change.decision.drawn.values())
    posted = change.decision.entries
    return [
        *_changed(change),
        [one.account_uid for one in drawn],
        [one.id for one in drawn],
        [one.remaining.micro for one in drawn],
        microseconds(change.at),
        [one.account_uid for one in posted],
        [one.number for one in posted],
        [one.id for one in posted],
        [one.credits.micro for one in posted],
        [one.balance.micro for one in posted],
        [one.key for one in posted],
        [one.fingerprint for one in posted],
        [one.source for one in posted],
        [one.reason for one in posted],
        [one.actor for one in posted],
    ]


def _changed(change: Change) -> list[object]:
    """The values of CHANGED. Accounts are locked in their order, so that no two batches wait for
    each other."""
    uids = sorted(change.decision.accounts)
    old = [change.accounts[uid] for uid in uids]
    new = [change.decision.accounts[uid] for uid in uids]
    return [
        uids,
        [one.balance.micro for one in old],
        [one.last_entry for one in old],
        [one.reserved.micro for one in old],
        [one.balance.micro for one in new],
        [one.last_entry for one in new],
    ]


def _told(change: Change) -> list[object]:
    """The values of TELL. Checkouts and events have an order too."""
    decision = change.decision
    letters = sorted(decision.inbox.items())
    advanced = sorted(decision.checkouts.items())
    return [
        *_changed(change),
        *_columns(10, [_advanced(change.checkouts[id_], one) for id_, one in advanced]),
        *_GRANTS.columns_written(map(grants.values_of, decision.granted.values())),
        *_ENTRIES.columns_written(map(entries.values_of, decision.entries)),
        *_INBOX.columns_written(inbox.values_of(*letter, change.at) for _, letter in letters),
    ]


def _columns(width: int, rows: Sequence[Sequence[object]]) -> list[list[object]]:
    """The same, column by column, of which there are so many also without rows."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _advanced(old: Checkout, new: Checkout) -> tuple[object, ...]:
    at = new.credited_at and microseconds(new.credited_at)
    told = checkouts.changing(new) | {"credited_at": at}
    return (new.id, old.state, old.session_id, old.payment_intent, *told.values())


def _beaten(change: Change) -> list[object]:
    """The values of BEAT: all accounts, also those that didn't change, were looked at."""
    uids = sorted(change.accounts)
    old = [change.accounts[uid] for uid in uids]
    new = [change.decision.accounts.get(one.uid, one) for one in old]
    after = sorted(change.decision.changed.values(), key=lambda one: one.id)
    before = [change.reservations[one.id] for one in after]
    return [
        uids,
        [one.balance.micro for one in old],
        [one.last_entry for one in old],
        [one.reserved.micro for one in old],
        [one.reserved.micro for one in new],
        [one.account_uid for one in after],
        [one.id for one in after],
        [one.state for one in before],
        [one.reserved.micro for one in before],
        [microseconds(one.rated_at) for one in before],
        [microseconds(one.beat_at) for one in before],
        [microseconds(one.due_at) for one in before],
        [one.state for one in after],
        [one.reserved.micro for one in after],
        [microseconds(one.beat_at) for one in after],
        [microseconds(one.due_at) for one in after],
        [one.warned for one in after],
    ]
