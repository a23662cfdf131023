"""What is to happen after a while, and is kept in the file: bank debits, slow refunds, expiry."""

import logging

from prepaid.simulator import checkout, refunds, sessions
from prepaid.simulator.sandbox import Sandbox

_log = logging.getLogger(__name__)

_JOBS = {"settle": checkout.settle, "refund_end": refunds.end}


def run_due(box: Sandbox) -> None:
    """Do what is due, each in a transaction of its own."""
    rows = box.store.sql.execute(
        "SELECT seq, job, object FROM later WHERE due <= ? ORDER BY seq", (box.config.clock(),)
    ).fetchall()
    for seq, job, key in rows:
        _run(box, seq, job, key)
    for session in sessions.overdue(box):
        with box.acting():
            sessions.end(box, session)


def _run(box: Sandbox, seq: int, job: str, key: str) -> None:
    """One job. If it can't be done, because its object is gone, it is dropped, and others go on."""
    try:
        with box.acting():
            box.store.sql.execute("DELETE FROM later WHERE seq = ?", (seq,))
            _JOBS[job](box, key)
    except Exception:  # noqa: BLE001 - see above; the log has it whole
        _log.exception("%s of %s failed", job, key)
        with box.store.transaction():
            box.store.sql.execute("DELETE FROM later WHERE seq = ?", (seq,))
