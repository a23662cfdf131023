"""What burns, on a terminal and elsewhere: one picture, or one a second until somebody ends it."""

import asyncio
import signal
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from beside import kernel, start, with_credits
from conftest import fresh_database
from local_postgres import LocalPostgres, RunningPostgres
from operators import Operator
from prepaid.clock import wall_clock
from prepaid.core.amounts import NOTHING, Credits
from prepaid.storage.database import Database
from prepaid.storage.schema import migrate
from terminals import terminal

CENT = Credits(10_000)


@pytest.fixture
def ada(operator: Operator) -> Operator:
    """An operator, on SQLite and on PostgreSQL, with ada and bob; a kernel of bob's burns faster
    than both of ada's, and one of ada's doesn't burn."""
    return busy(operator)


@pytest.fixture
def here(local: Operator) -> Operator:
    """The same where the database makes no difference."""
    return busy(local)


def busy(operator: Operator) -> Operator:
    with_credits(operator, "ada", "bob")
    start(
        operator,
        [
            kernel("slow", CENT),
            kernel("held", NOTHING, Credits.of(20)),
            kernel("fast", Credits(30_000), uid="bob", heartbeat_seconds=60),
        ],
    )
    return operator


def test_a_document_has_who_burns_and_what_the_busiest_first(ada: Operator) -> None:
    told = ada.does("top")
    assert (told["running"], told["burning_rate"]) == (3, Decimal("0.04"))
    assert told["burning_rate_per_hour"] == 144
    bob, her = told["accounts"]
    assert (bob["account_uid"], her["account_uid"]) == ("bob", "ada")
    assert (her["balance"], her["reserved"], her["available"]) == (
        100,
        Decimal("20.9"),
        Decimal("79.1"),
    )
    assert (her["burning_rate"], her["burning_rate_per_hour"], her["running"]) == (
        Decimal("0.01"),
        36,
        2,
    )
    assert her["depletes_at"] == ada.does("balance", "ada")["depletes_at"]
    busiest = [one["reservation"]["resource"] for one in told["reservations"]]
    assert busiest == ["fast", "slow", "held"]
    fast, _, held = told["reservations"]
    assert (held["limit_used_percent"], held["alarm"], held["runway_seconds"]) == (0, None, None)
    assert (fast["limit_used_percent"], fast["alarm"]) == (None, None)
    assert 0 < fast["runway_seconds"] <= 100 / Decimal("0.03")
    alone = ada.does("top", "--account", "ada")
    assert [one["account_uid"] for one in alone["accounts"]] == ["ada"]
    assert alone["running"] == 2
    refused = ada.runs("top", "--account", "zoe", "--json")
    assert (refused.code, refused.problem["code"]) == (1, "unknown_account")


def test_a_pipe_gets_one_picture_of_which_nothing_is_cut(here: Operator) -> None:
    start(here, [kernel("a kernel with a long name " * 7, CENT)])
    lines = here.runs("top").out.splitlines()
    assert lines[0].endswith("Z  4 reservations burn 180.00 credits an hour")
    assert lines[2].split() == [
        *("account", "balance", "reserved", "available", "an", "hour", "lasts", "runs")
    ]
    assert lines[3].split()[:4] == ["bob", "100.00", "5.40", "94.60"]
    assert any(line.startswith("slow") and " ada " in line for line in lines)
    assert "".join(lines).count("a kernel") == 7


def test_nothing_burns_on_a_quiet_night(local: Operator) -> None:
    with_credits(local, "ada")
    said = local.runs("top", "--once").out.splitlines()
    assert [line[10:] for line in said] == [" 0 reservations burn 0 credits an hour"]
    assert local.runs("top", "--account", "ada").out.splitlines()[3].split()[0] == "ada"


def test_what_nears_its_limit_is_marked(local: Operator) -> None:
    """Each has burnt a credit since; the first did so long ago."""
    with_credits(local, "ada")
    long_ago, hour_ago = wall_clock() - timedelta(days=1), wall_clock() - timedelta(hours=1)
    rate = Credits(278)
    start(local, [kernel("out", rate, Credits.of(1), heartbeat_seconds=3_600)], long_ago)
    limits = {"7": 1_400_000, "76": 1_310_000, "89": 1_120_000, "91": 1_090_000}
    kernels = [
        kernel(name, rate, Credits(micro), heartbeat_seconds=3_600)
        for name, micro in limits.items()
    ]
    start(local, kernels, hour_ago)
    told = {one["reservation"]["resource"]: one for one in local.does("top")["reservations"]}
    assert {name: one["alarm"] for name, one in told.items()} == {
        "out": "critical",
        "91": "critical",
        "89": "warning",
        "76": "warning",
        "7": None,
    }
    assert told["out"]["limit_used_percent"] == 100
    assert told["out"]["silent_seconds"] >= 86_400
    lines = {line.split()[0]: line for line in local.runs("top").out.splitlines()[6:]}
    assert "100% !!" in lines["out"]
    assert "89% !" in lines["89"]
    assert "89% !!" not in lines["89"]
    assert "1d 00h ago" in lines["out"]


def test_somebody_watches_and_q_gives_the_terminal_back(ada: Operator) -> None:
    with terminal(ada, "top", columns=60, lines=24) as screen:
        picture = screen.shows("fast")
        assert max(map(len, picture)) <= 60
        assert picture[0].rstrip().endswith("3 reservations burn 144.00 credits an hour")
        assert picture[2].split() == ["account", "available", "an", "hour", "lasts", "runs"]
        assert not any("faster" in line for line in picture)
        start(ada, [kernel("faster", Credits.of(1))])
        assert screen.shows("faster")[0].split()[1] == "4"
        screen.press("x\x1a")
        assert screen.shows("faster")
        screen.press("q")
        assert screen.ends() == 0
        assert screen.is_given_back
        assert screen.running.stderr is not None
        assert screen.running.stderr.read() == b""


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_every_other_end_gives_the_terminal_back_too(here: Operator, how: str) -> None:
    with terminal(here, "top") as screen:
        screen.shows("fast")
        if how == "Ctrl-C":
            screen.press("\x03")
        else:
            screen.running.send_signal(signal.SIGTERM)
        assert screen.ends() == 0
        assert screen.is_given_back


def test_a_terminal_of_a_few_lines_has_what_fits(here: Operator) -> None:
    start(here, [kernel(f"k{i}", Credits(40_000)) for i in range(20)])
    with terminal(here, "top", columns=30, lines=10) as screen:
        picture = screen.shows("k0")
        assert len(picture) == 10
        assert max(map(len, picture)) <= 30
        assert "23 reservations" in picture[0]


def test_what_is_refused_is_said_when_the_terminal_is_given_back(here: Operator) -> None:
    with terminal(here, "top", "--account", "zoe") as screen:
        assert screen.ends() == 1
        assert screen.is_given_back
        assert screen.running.stderr is not None
        assert screen.running.stderr.read() == b"There is no account 'zoe'.\n"


@pytest.mark.parametrize(
    ("words", "kind"),
    [(("top", "--once"), "xterm"), (("top",), "dumb"), (("top", "--json"), "xterm")],
)
def test_a_terminal_that_is_not_to_be_drawn_on_gets_one_picture(
    here: Operator, words: tuple[str, ...], kind: str
) -> None:
    with terminal(here, *words, kind=kind) as screen:
        assert screen.ends() == 0
        assert b"\x1b[?1049h" not in screen.written
        assert b"fast" in screen.written


def test_a_database_that_is_away_is_said_and_looked_for(nobody: Operator) -> None:
    with LocalPostgres(fsync=False) as server:
        for url in fresh_database(server, "template0"):
            nobody.settings["PREPAID_DATABASE_URL"] = url
            migrate(url)
            busy(nobody)
            with terminal(nobody, "top") as screen:
                screen.shows("fast")
                server.stop("immediate")
                picture = screen.shows("The database does not answer")
                assert any("fast" in line for line in picture)
                server.start()
                assert "fast" in " ".join(screen.shows_no("does not answer"))
                server.stop("immediate")
                screen.shows("The database does not answer")
                screen.press("q")
                assert screen.ends() == 0
                assert screen.is_given_back
                server.start()


async def test_a_picture_that_is_not_renewed_says_how_old_it_is(
    nobody: Operator, postgres: RunningPostgres, migrated_postgres: str
) -> None:
    """Somebody's lock keeps the answer back: the database is there, and says nothing."""
    for url in fresh_database(postgres, migrated_postgres):
        nobody.settings["PREPAID_DATABASE_URL"] = url
        await asyncio.to_thread(busy, nobody)
        database = Database(url)
        with terminal(nobody, "top") as screen:
            screen.shows("fast")
            async with database.writing() as connection:
                await connection.execute(text("LOCK TABLE reservations"))
                await asyncio.to_thread(screen.shows, "Nothing new for")
            await asyncio.to_thread(screen.shows_no, "Nothing new for")
        await database.close()
