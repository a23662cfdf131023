"""What is to happen after a while, and is kept in the file: bank debits, slow refunds, expiry."""

from prepaid.simulator import checkout, refunds, sessions
from prepaid.simulator.sandbox import Sandbox

_JOBS = {"settle": checkout.settle, "refund_end": refunds.end}


def run_due(box: Sandbox) -> None:
    """Do what is due, each in a transaction of its own."""
    rows = box.store.sql.execute(
        "SELECT seq, job, object FROM later WHERE due <= ? ORDER BY seq", (box.config.clock(),)
    ).fetchall()
    for seq, job, key in rows:
        with box.acting():
            box.store.sql.execute("DELETE FROM later WHERE seq = ?", (seq,))
            _JOBS[job](box, key)
    for session in sessions.overdue(box):
        with box.acting():
            sessions.end(box, session)
