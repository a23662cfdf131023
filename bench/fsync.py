"""How long the disk takes to keep a page: what no durable commit can go below."""

import os
import re
import subprocess
import time
from pathlib import Path

PAGE = b"\0" * 8192
SECONDS = 1.0
PATIENCE_SECONDS = 60


def microseconds(pg_test_fsync: Path | None, folder: Path) -> float:
    """How long fdatasync takes after a page was written in a folder."""
    file = folder / "fsync-test"
    try:
        return _by(pg_test_fsync, file) if pg_test_fsync else _by_hand(file)
    finally:
        file.unlink(missing_ok=True)


def _by(pg_test_fsync: Path, file: Path) -> float:
    """PostgreSQL's own test, until it has said what we ask: it goes on with much else."""
    command = [str(pg_test_fsync), "--secs-per-test=1", f"--filename={file}"]
    printed = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as testing:
        assert testing.stdout is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := read(printed)) is None and time.monotonic() < deadline:
            line = testing.stdout.readline()
            printed += line
            if not line:
                break
        testing.terminate()
    if found is None:
        raise ValueError(f"This is not what pg_test_fsync prints:\n{printed}")
    return found


def read(printed: str) -> float | None:
    """The microseconds of an fdatasync, as pg_test_fsync printed them; None if it hasn't yet."""
    said = re.search(r"^\s*fdatasync\s+[\d.]+ ops/sec\s+([\d.]+) usecs/op", printed, re.MULTILINE)
    return None if said is None else float(said[1])


def _by_hand(file: Path) -> float:
    """The same, where pg_test_fsync isn't."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(handle, PAGE, 0)
        began, times = time.perf_counter(), 0
        while time.perf_counter() - began < SECONDS:
            os.pwrite(handle, PAGE, 0)
            os.fdatasync(handle)
            times += 1
        return (time.perf_counter() - began) / times * 1e6
    finally:
        os.close(handle)
