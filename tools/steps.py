"""Runs the steps of `./test`, and tells how they ended."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import environment

GRACE_SECONDS = 20  # for a stopped child to take down the servers that it started


class Steps:
    """What ran, what did not and why; each step has the temporary folder `scratch`."""

    def __init__(self, scratch: Path, variables: Mapping[str, str]) -> None:
        self.scratch = scratch
        self._variables = dict(variables) | {"TMPDIR": str(scratch)}
        self._results: dict[str, bool] = {}
        self._suites: set[str] = set()
        self._not_run: list[str] = []
        self._tests: Counter[str] = Counter()
        self._children: set[subprocess.Popen[bytes]] = set()
        self._interrupted = False

    def beside(self, *rows: Callable[[], None]) -> None:
        """Run rows of steps beside each other: most keep one processor busy."""
        with ThreadPoolExecutor(len(rows)) as both:
            running = [both.submit(row) for row in rows]
            try:
                for row in running:
                    row.result()
            except BaseException:
                self._interrupted = True
                for child in tuple(self._children):
                    _stop(child)
                raise

    def run(self, name: str, *command: str | Path) -> bool:
        """Run a check; show what it wrote only if it fails."""
        if self._interrupted:
            return False
        started = time.monotonic()
        with tempfile.TemporaryFile(dir=self.scratch) as output:
            passed = self._call(command, output.fileno()) == 0
            self._tell(name, started, passed=passed)
            if not passed:
                output.seek(0)
                print(output.read().decode(errors="replace"), flush=True)
        return passed

    def run_tests(self, name: str, *command: str | Path) -> bool:
        """Run pytest, in view, and count its tests."""
        started = time.monotonic()
        report = self.scratch / f"tests-{len(self._suites)}.xml"
        self._suites.add(name)
        passed = self._call((*command, f"--junitxml={report}"), None) == 0
        self._tell(name, started, passed=passed)
        if report.exists():
            self._count(ET.parse(report).getroot())  # noqa: S314 (pytest wrote it)
        return passed

    def not_run(self, what: str) -> None:
        """Remember what this run leaves out, and why."""
        self._not_run.append(what)

    def summary(self) -> int:
        """Print how it ended; return the exit code. The last line is for machines."""
        print("\nSummary")
        for name, passed in self._results.items():
            print(f"  {'passed' if passed else 'FAILED'}   {name}")
        for what in self._not_run:
            print(f"  not run  {what}")
        print(self._closing_line(), flush=True)
        return 0 if all(self._results.values()) else 1

    def _closing_line(self) -> str:
        """Tests and checks together; pytest itself counts only when no test tells it failed."""
        checks = Counter(
            passed for name, passed in self._results.items() if name not in self._suites
        )
        failed = self._tests["failed"] + checks[False]
        if failed == 0 and not all(self._results.values()):
            failed = 1
        skipped = f", {self._tests['skipped']} skipped" if self._tests["skipped"] else ""
        return f"{self._tests['passed'] + checks[True]} passed, {failed} failed{skipped}"

    def _count(self, report: ET.Element) -> None:
        reasons: Counter[str] = Counter()
        for case in report.iter("testcase"):
            if (skipped := case.find("skipped")) is not None:
                reasons[skipped.get("message", "no reason given")] += 1
                self._tests["skipped"] += 1
            else:
                broken = case.find("failure") is not None or case.find("error") is not None
                self._tests["failed" if broken else "passed"] += 1
        for reason, count in reasons.items():
            self.not_run(f"{count} {'test' if count == 1 else 'tests'}: {reason}")

    def _tell(self, name: str, started: float, *, passed: bool) -> None:
        self._results[name] = passed
        seconds = time.monotonic() - started
        print(f"{name:<28} {'passed' if passed else 'FAILED'} {seconds:7.1f} s", flush=True)

    def _call(self, command: Sequence[str | Path], output: int | None) -> int:
        # A session of its own: a signal to us reaches the child once, when we pass it on.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=environment.ROOT,
            env=self._variables,
            start_new_session=True,
        )
        self._children.add(child)
        try:
            return child.wait()
        finally:
            _stop(child)
            self._children.discard(child)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder for everything that the steps write; it goes when they are done."""
    folder = Path(tempfile.mkdtemp(prefix="prepaid-test-"))
    folder.chmod(0o711)  # started by root, PostgreSQL runs as another user and must pass through
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stop_on_signals() -> None:
    """Let SIGTERM end us as Ctrl-C does: children stopped, folders removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # A shell's background job ignores Ctrl-C, and its children would ignore our word to stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Interrupt a child that still runs, with its own children; kill what doesn't listen."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGINT)
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
