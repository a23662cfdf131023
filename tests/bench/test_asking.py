"""What a load asks, by wrk and by our own client."""

import json
import re
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from time import perf_counter

import pytest

from bench import client, wrk
from bench.asks import asks, framed, request
from bench.load import BATCH, Kind, Load

SECONDS = 1
RANDOM = re.compile(rb"user-0000[0-4]|\b[0-9a-f]{32}\b")
"""What differs from request to request."""


class Recorder(ThreadingTCPServer):
    """A server that accepts whatever it is asked, and remembers it; it refuses every tenth."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[bytes] = []

    @property
    def port(self) -> int:
        port: int = self.server_address[1]
        return port


class Answering(StreamRequestHandler):
    def handle(self) -> None:
        while head := self._head():
            length = int(re.findall(rb"Content-Length: (\d+)", head)[0])
            self._answer(head + self.rfile.read(length))

    def _head(self) -> bytes:
        lines = [self.rfile.readline()]
        while lines[-1] not in {b"", b"\r\n"}:
            lines.append(self.rfile.readline())
        return b"".join(lines)

    def _answer(self, asked: bytes) -> None:
        assert isinstance(self.server, Recorder)
        self.server.asked.append(asked)
        status = b"402 No" if len(self.server.asked) % 10 == 0 else b"201 Created"
        self.wfile.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", [Kind.CHARGES, Kind.BATCHES, Kind.READS, Kind.EMPTY])
def test_wrk_asks_what_our_own_client_asks(recorder: Recorder, kind: Kind) -> None:
    if shutil.which("wrk") is None:
        pytest.skip("a load by wrk: wrk is not on this machine")
    load = Load(kind, recorder.port, 1, SECONDS, "token", accounts=5)
    wrk.run(load)
    ((_, ours),) = islice(asks(load), 1)
    assert {RANDOM.sub(b"*", asked) for asked in recorder.asked} == {RANDOM.sub(b"*", ours)}


def test_wrk_sends_the_requests_of_a_file_and_then_what_is_refused(
    recorder: Recorder, tmp_path: Path
) -> None:
    if shutil.which("wrk") is None:
        pytest.skip("a load by wrk: wrk is not on this machine")
    told = [request("POST", "/hook", "-", body) for body in (b"{}", b'{"a":\n1}')]
    (tmp_path / "events").write_bytes(b"".join(map(framed, told)))
    lines = str(tmp_path / "events")
    wrk.run(Load(Kind.WEBHOOKS, recorder.port, 1, SECONDS, "-", lines=lines))
    # The first is made by wrk to see what it makes, and never sent.
    assert recorder.asked[0] == told[1]
    assert {asked.split(b" ")[1] for asked in recorder.asked[1:]} == {b"/used-up"}


def test_no_key_is_used_twice() -> None:
    load = Load(Kind.CHARGES, 1, 1, SECONDS, "token")
    assert len({key for key, _ in islice(asks(load), 1_000)}) == 1_000


def test_a_batch_has_a_thousand_charges() -> None:
    ((_, asked),) = islice(asks(Load(Kind.BATCHES, 1, 1, SECONDS, "token")), 1)
    charges = json.loads(asked.partition(b"\r\n\r\n")[2])["charges"]
    assert len({one["key"] for one in charges}) == len(charges) == BATCH


def test_heartbeats_go_round_all_reservations(tmp_path: Path) -> None:
    lines = tmp_path / "reservations"
    lines.write_text("kernel-1\nkernel-2\n")
    load = Load(Kind.HEARTBEATS, 1, 1, SECONDS, "token", lines=str(lines))
    assert [id_ for id_, _ in islice(asks(load), 3)] == ["kernel-1", "kernel-2", "kernel-1"]


def test_our_client_counts_what_was_accepted_and_what_refused(
    recorder: Recorder, tmp_path: Path
) -> None:
    load = Load(Kind.CHARGES, recorder.port, 4, SECONDS, "token")
    accepted = tmp_path / "accepted"
    spell = client.ended(client.started(load, accepted), load)
    assert spell.accepted + spell.refused == len(recorder.asked)
    assert spell.refused == len(recorder.asked) // 10
    assert spell.broken == 0
    assert 0 < spell.p50 <= spell.p99
    asked = b"".join(recorder.asked).decode()
    assert len(set(accepted.read_text().split())) == spell.accepted
    assert all(key in asked for key in accepted.read_text().split())


def test_a_load_with_a_rate_asks_so_often(recorder: Recorder) -> None:
    spell = client.run(Load(Kind.EMPTY, recorder.port, 2, SECONDS, "token", rate=50.0))
    assert spell.accepted + spell.refused == len(recorder.asked) == 50


def test_a_load_whose_time_is_up_is_over_once_all_that_became_due_is_sent() -> None:
    load = Load(Kind.EMPTY, 1, 1, SECONDS, "token", rate=50.0)
    run = client._Run(load, asks(load), began=perf_counter() - SECONDS)
    before = run.is_over
    run.send_due()
    assert (before, run.is_over, len(run.due)) == (False, True, 50)


def test_what_is_due_and_is_never_sent_counts_as_broken() -> None:
    load = Load(Kind.EMPTY, 1, 1, SECONDS, "token", rate=50.0)
    run = client._Run(load, asks(load), began=perf_counter() - SECONDS)
    run.send_due()
    run.give_up()
    assert (run.broken, len(run.due)) == (50, 0)


def test_a_load_ends_with_its_file(recorder: Recorder, tmp_path: Path) -> None:
    lines = tmp_path / "events"
    lines.write_bytes(framed(request("POST", "/hook", "-", b"{}")) * 3)
    load = Load(Kind.WEBHOOKS, recorder.port, 2, 30, "-", lines=str(lines))
    assert client.run(load).accepted == len(recorder.asked) == 3


def test_a_server_that_goes_away_ends_the_load(recorder: Recorder) -> None:
    recorder.server_close()
    with pytest.raises(RuntimeError, match="The client ended with 1"):
        client.run(Load(Kind.EMPTY, recorder.port, 1, SECONDS, "token"))
