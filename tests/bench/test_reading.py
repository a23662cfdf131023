"""What the programs that are asked print, read."""

import pytest

from bench import fsync, pgbench, wrk
from bench.client import percentile, whole
from bench.load import Spell

WRK = """Running 2s test @ http://127.0.0.1:9700
  1 threads and 128 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     5.35ms    6.37ms  53.82ms   95.40%
    Req/Sec    20.00k   113.46    21.00k    63.64%
  40010 requests in 2.00s, 3.46MB read
  Non-2xx or 3xx responses: 10
Requests/sec:  20005.00
bench {"answered":40010,"refused":10,"broken":1,"microseconds":2000000,"p50":5000,"p99":9000}
"""

PGBENCH = """pgbench (15.18 (Debian 15.18-0+deb12u1))
transaction type: debit.sql
scaling factor: 1
query mode: prepared
number of clients: 1
number of threads: 1
maximum number of tries: 1
duration: 2 s
number of transactions actually processed: 483
number of failed transactions: 0 (0.000%)
latency average = 4.147 ms
initial connection time = 5.129 ms
tps = 241.155 (without initial connection time)
"""

FSYNC = """1 second per test
O_DIRECT supported on this platform for open_datasync and open_sync.

Compare file sync methods using one 8kB write:
(in wal_sync_method preference order, except fdatasync is Linux's default)
        open_datasync                      1808.295 ops/sec     553 usecs/op
        fdatasync                          2159.626 ops/sec     463 usecs/op
"""


def test_wrk_tells_how_many_were_accepted_and_how_fast() -> None:
    spell = wrk.read(WRK)
    assert spell == Spell(40_000, 10, 1, 2.0, 5_000, 9_000)
    assert spell.rate == 20_000


def test_pgbench_tells_how_many_debits_it_made() -> None:
    assert pgbench.read(PGBENCH, []) == pgbench.Debits(483, 241.155)
    assert pgbench.read(PGBENCH, [30.0, 10.0, 20.0]) == pgbench.Debits(483, 241.155, 20.0)
    with pytest.raises(ValueError, match="not what pgbench prints"):
        pgbench.read("pgbench: error", [])


def test_pg_test_fsync_tells_the_time_of_an_fdatasync_once_it_has_it() -> None:
    assert fsync.read(FSYNC) == 463
    assert fsync.read(FSYNC.partition("2159")[0]) is None


def test_an_answer_is_whole_when_all_of_its_length_is_there() -> None:
    answer = b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\ndate: now\r\n\r\nhello"
    for end in range(len(answer)):
        assert whole(bytearray(answer[:end])) is None
    assert whole(bytearray(answer)) == 201
    assert whole(bytearray(b"HTTP/1.1 204 No Content\r\n\r\n")) == 204


def test_a_percentile_is_one_of_what_was_measured() -> None:
    taken = [number / 1e6 for number in range(1, 101)]
    assert round(percentile(taken, 50)) == 51
    assert round(percentile(taken, 99)) == 100
    assert percentile([], 99) == 0
