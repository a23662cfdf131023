"""A terminal for tests: somebody looks at what a command draws on it, and presses keys."""

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from operators import SCRIPT, Operator

SECONDS = 60
"""How long something may take until it is seen."""

HOME = "\x1b[H"
IN_FRONT = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A program that becomes another one, in the foreground of its terminal. No Python of ours may run
between fork and exec: in a process that has threads it may wait there for ever."""

CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Terminal:
    """A terminal on which a command runs. `written` is all that has come of it."""

    master: int
    slave: int
    running: subprocess.Popen[bytes]
    before: object
    written: bytearray = field(default_factory=bytearray)

    @property
    def pictures(self) -> list[list[str]]:
        """The lines of each picture that is whole, without colours."""
        _, *begun = self.written.decode(errors="replace").split(HOME)
        return [CODES.sub("", one).splitlines() for one in begun[:-1]]

    @property
    def lines(self) -> list[str]:
        """All lines, of a command that draws no pictures."""
        return CODES.sub("", self.written.decode()).splitlines()

    @property
    def is_given_back(self) -> bool:
        """Whether the screen, the cursor and the keys are again as they were before."""
        drew = self.written.rfind(b"\x1b[?1049l") > self.written.rfind(b"\x1b[?1049h") >= 0
        cursor = self.written.rfind(b"\x1b[?25h") > self.written.rfind(b"\x1b[?25l")
        return drew and cursor and termios.tcgetattr(self.slave) == self.before

    def shows(self, text: str) -> list[str]:
        """The first picture from now on that has this text."""
        return self._shows(lambda picture: any(text in line for line in picture))

    def shows_no(self, text: str) -> list[str]:
        """The first picture from now on that does not have it."""
        return self._shows(lambda picture: not any(text in line for line in picture))

    def press(self, keys: str) -> None:
        """Somebody presses these keys."""
        os.write(self.master, keys.encode())

    def ends(self) -> int:
        """The exit code, once it has ended."""
        self._read_until(lambda: self.running.poll() is not None)
        self._read()
        return self.running.wait()

    def _shows(self, wanted: Callable[[list[str]], bool]) -> list[str]:
        seen = len(self.pictures)
        self._read_until(lambda: any(map(wanted, self.pictures[seen:])))
        return next(filter(wanted, self.pictures[seen:]))

    def _read_until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < deadline, self.written[-5_000:].decode(errors="replace")
            self._read()

    def _read(self) -> None:
        while select.select([self.master], [], [], 0.05)[0]:
            self.written += os.read(self.master, 65_536)


@contextmanager
def terminal(
    operator: Operator, *words: str, columns: int = 100, lines: int = 30, kind: str = "xterm"
) -> Iterator[Terminal]:
    """A terminal on which an operator's command runs, in the foreground; ended with the block."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    before = termios.tcgetattr(slave)
    running = subprocess.Popen(
        [sys.executable, "-ISc", IN_FRONT, SCRIPT, *words],
        env=_of_its_own(operator.environment) | {"TERM": kind},
        stdin=slave,
        stdout=slave,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Terminal(master, slave, running, before)
    finally:
        running.kill()
        running.communicate()
        os.close(master)
        os.close(slave)


def _of_its_own(environment: dict[str, str]) -> dict[str, str]:
    """Without the size of another terminal, which readline writes into pytest's environment."""
    return {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
