"""The parts of a round. Each measures one thing, on its own fresh database, and leaves nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import psutil

from bench import books, client, fsync, webhooks
from bench.figures import Figures
from bench.load import ACCOUNTS, BATCH, Kind
from bench.measuring import Served
from bench.postgres import program
from bench.programs import empty_route, service
from bench.stage import EMPTY, Stage

MANY = 128
"""Connections that are more than any service has work for at once."""

CONNECTIONS = (1, 32, MANY)
CLIENTS = (1, 8, 32, 64)
POSTING = 8
"""Connections to the batch endpoint: each has a thousand charges on their way."""

OPEN_LOAD = 0.7
"""The part of what the service can do that it is given at a rate."""

LISTEN_SECONDS = 1.0
RESERVATIONS = 10_000
BEATING = 64
PROBED = 2_000
PROBE_SECONDS = 10
SPARE = 3.0
"""With so many events it is found out how fast they are taken, and so how many a spell may need:
our own client, which takes its part of the processor, sees less than wrk will."""


def disk(stage: Stage) -> Figures:
    """What no durable commit can go below; and how much of the machine others take, whose load
    nobody here can do anything about."""
    test = program(stage.server, "pg_test_fsync")
    others = psutil.cpu_percent(interval=LISTEN_SECONDS)
    return {"fdatasync.us": fsync.microseconds(test, stage.folder), "others.percent": others}


def postgres(stage: Stage) -> Figures:
    """PostgreSQL's own debits, on many accounts and on one."""
    figures: Figures = {}
    runs = [(f"pgbench_{clients}", clients, ACCOUNTS) for clients in CLIENTS]
    runs.append(("pgbench_hot_32", 32, 1))
    stage.random.shuffle(runs)
    for name, clients, accounts in runs:
        asyncio.run(stage.pgbench.reset())
        before = stage.server.cpu_seconds()
        debits = stage.pgbench.run(clients, stage.effort.pgbench, accounts=accounts)
        spent = stage.server.cpu_seconds() - before
        stage.gates.look_at_rows(name, asyncio.run(stage.pgbench.entries()), debits.done, 0)
        figures[f"{name}.rate"] = debits.rate
        figures[f"{name}.database_us"] = spent / debits.done * 1e6
        if debits.p50 is not None:
            figures[f"{name}.p50"] = debits.p50
    return figures


def charges(stage: Stage) -> Figures:
    """Single charges of many accounts; and then at a rate, for a p99 that waiting can't hide."""
    figures: Figures = {}
    order = [*CONNECTIONS]
    stage.random.shuffle(order)
    with stage.served() as served:
        served.warm(Kind.CHARGES, stage.effort.warm)
        for connections in order:
            load = served.load(Kind.CHARGES, connections, stage.effort.spell)
            figures |= served.measure(load).figures(f"charges_{connections}")
        rate = OPEN_LOAD * figures[f"charges_{MANY}.rate"]
        load = replace(served.load(Kind.CHARGES, MANY, stage.effort.spell), rate=rate)
        figures |= served.measure(load).figures("charges_open")
    return figures


def hot(stage: Stage) -> Figures:
    """Single charges of one account."""
    with stage.served() as served:
        served.warm(Kind.CHARGES, stage.effort.warm, accounts=1)
        load = served.load(Kind.CHARGES, MANY, stage.effort.spell, accounts=1)
        return served.measure(load).figures(f"hot_{MANY}")


def batches(stage: Stage) -> Figures:
    """A thousand charges a POST."""
    with stage.served() as served:
        served.warm(Kind.CHARGES, stage.effort.warm)
        load = served.load(Kind.BATCHES, POSTING, stage.effort.spell)
        return served.measure(load).figures(f"batches_{BATCH}")


def sqlite(stage: Stage) -> Figures:
    """Single charges of many accounts, on SQLite."""
    with stage.served_by_sqlite() as served:
        served.warm(Kind.CHARGES, stage.effort.warm)
        load = served.load(Kind.CHARGES, MANY, stage.effort.spell)
        return served.measure(load).figures(f"sqlite_{MANY}")


def ingest(stage: Stage) -> Figures:
    """Signed events about checkouts that were paid: signature, grant, commit."""
    with stage.served() as served:
        served.warm(Kind.CHARGES, stage.effort.warm)
        sale = asyncio.run(webhooks.sale(asyncio.run(books.deployment(served.url))))
        lines = stage.folder / "events"
        probe = replace(served.load(Kind.WEBHOOKS, MANY, PROBE_SECONDS), lines=str(lines))
        _write_events(served.url, sale, PROBED, lines)
        rate = served.put_on(probe, client.run).rate
        enough = int(SPARE * rate * stage.effort.spell)
        _write_events(served.url, sale, enough, lines)
        load = replace(probe, seconds=stage.effort.spell)
        return served.measure(load).figures(f"webhooks_{MANY}")


def _write_events(url: str, sale: webhooks.Sale, count: int, lines: Path) -> None:
    offers = [sale.offer(number % ACCOUNTS) for number in range(count)]
    asyncio.run(books.add_checkouts(url, offers))
    webhooks.write([sale.told(offer) for offer in offers], lines)


def reads(stage: Stage) -> Figures:
    """Balances, and the empty route that they are compared with."""
    with stage.served() as served:
        served.warm(Kind.READS, stage.effort.warm)
        load = served.load(Kind.READS, MANY, stage.effort.spell)
        figures = served.measure(load).figures(f"reads_{MANY}")
    with empty_route(stage.folder) as program:
        empty = Served("", program, "-", None, stage.gates)
        empty.warm(Kind.EMPTY, stage.effort.warm)
        load = empty.load(Kind.EMPTY, MANY, stage.effort.spell)
        return figures | empty.measure(load).figures(f"empty_{MANY}")


def heartbeats(stage: Stage) -> Figures:
    """Ten thousand live reservations, each of which beats every ten seconds: at a rate."""
    lines, rate = stage.folder / "reservations", RESERVATIONS / books.HEARTBEAT_SECONDS
    with stage.database() as url:
        lines.write_text("\n".join(asyncio.run(books.open_reservations(url, RESERVATIONS))))
        with stage.serving(url, stage.token, stage.server) as served:
            beat = served.load(Kind.HEARTBEATS, BEATING, stage.effort.first_beats)
            first = replace(beat, lines=str(lines), rate=rate)
            served.put_on(first)
            beats = served.measure_on(replace(first, seconds=stage.effort.beats))
    busy = beats.service_seconds / beats.spell.seconds * 100
    return beats.figures("heartbeats") | {"heartbeats.percent": busy}


def scale(stage: Stage) -> Figures:
    """Charges with as many entries as there are accounts, and with ten million."""
    sizes = [("small", stage.scale.small()), ("large", stage.scale.large())]
    stage.random.shuffle(sizes)
    figures: Figures = {}
    for name, sized in sizes:
        with stage.serving(sized.url, sized.token, stage.scale.server) as served:
            served.warm(Kind.CHARGES, stage.effort.warm)
            load = served.load(Kind.CHARGES, MANY, stage.effort.spell)
            figures |= served.measure(load).figures(f"{name}_checkpointed")
            served.warm(Kind.CHARGES, stage.effort.warm_scale)
            figures |= served.measure_on(load).figures(f"{name}_warm")
            figures[f"{name}.megabytes"] = served.program.megabytes()
    return figures


def start(stage: Stage) -> Figures:
    """From the command to the first answered request, on an empty SQLite database."""
    taken = []
    for _ in range(stage.effort.starts):
        with stage.file(EMPTY) as url, service(url, stage.folder) as program:
            taken.append(program.started_in)
    return {"start.seconds": median(taken)}


PARTS: dict[str, Callable[[Stage], Figures]] = {
    "disk": disk,
    "postgres": postgres,
    "charges": charges,
    "hot": hot,
    "batches": batches,
    "sqlite": sqlite,
    "webhooks": ingest,
    "reads": reads,
    "heartbeats": heartbeats,
    "scale": scale,
    "start": start,
}
"""All parts of a round, by the names that `--only` takes."""
