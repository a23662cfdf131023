"""The bench itself, in its smallest form."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench import results
from bench.results import Run
from local_postgres import make_home

ROOT = Path(__file__).resolve().parents[2]
TINY = ("--quick", "--rounds", "1", "--seconds", "2", "--minutes", "5")

POSTGRES_OWN = {"1", "4", "5"}
"""The folders of the databases that each server has from the start."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


def ran(folder: Path, *words: str) -> Run:
    """What a run kept; it has to end well."""
    command = [sys.executable, "-m", "bench", *TINY, "--json", str(folder / "run.json"), *words]
    environment = os.environ | {"TMPDIR": str(folder)}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=360,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return results.kept(folder / "run.json")


def test_charges_are_measured_and_their_books_are_right(tmp_path: Path) -> None:
    run = ran(tmp_path, "--only", "charges,postgres,disk")
    assert not run.is_void
    (figures,) = run.rounds
    assert figures.pop("others.percent") >= 0  # nobody else, on a quiet machine
    assert min(figures.values()) > 0
    assert {one.goal.what for one in run.reached() if one.is_measured} == {
        "single charges over HTTP at 128 connections / the best of pgbench",
        "p50 of one connection / p50 of pgbench with one client",
        "p99 at 32 connections / an fdatasync",
    }
    running = psutil.process_iter(["environ"])
    assert [one for one in running if is_left(one, tmp_path)] == []


def is_left(one: psutil.Process, folder: Path) -> bool:
    """Whether a process was started by the run in a folder."""
    return (one.info["environ"] or {}).get("TMPDIR") == str(folder)


def test_the_large_set_is_built_once_and_its_books_are_right(tmp_path: Path) -> None:
    cache = make_home()
    cache.chmod(0o711)  # the server's user has to get into the folder below
    try:
        kept = [built_in(tmp_path, cache) for _ in range(2)]
    finally:
        shutil.rmtree(cache)
    assert kept[0] == kept[1] > POSTGRES_OWN


def built_in(folder: Path, cache: Path) -> set[str]:
    """Runs with the large set, and says which databases are kept: one that was built anew would
    have another folder."""
    run = ran(folder, "--only", "scale", "--entries", "30000", "--cache", str(cache))
    assert not run.is_void
    assert run.rounds[0]["large_warm.rate"] > 0
    return {one.name for one in cache.glob("postgres-*/data/base/*") if one.name.isdigit()}
