"""The keyboard, while a screen is drawn: q ends it, and Ctrl-C, and whoever stops the process."""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

END_KEYS = b"qQ"


@contextmanager
def ended_by_hand(end: Callable[[], object]) -> Iterator[None]:
    """Calls `end` when somebody asks for the end. The terminal is afterwards as it was before."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, end)
    try:
        with _keys(loop, end):
            yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@contextmanager
def _keys(loop: asyncio.AbstractEventLoop, end: Callable[[], object]) -> Iterator[None]:
    """Each key is read when it is pressed, and not shown. Ctrl-Z does nothing: the shell would
    get the screen as it is drawn."""
    if not sys.stdin.isatty():
        yield
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    loop.add_reader(keyboard, _read, keyboard, end)
    try:
        tty.setcbreak(keyboard)
        _without_suspension(keyboard)
        yield
    finally:
        loop.remove_reader(keyboard)
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _read(keyboard: int, end: Callable[[], object]) -> None:
    """What has been pressed. Nothing, or no answer, means that the terminal is gone."""
    try:
        pressed = os.read(keyboard, 1_024)
    except OSError:
        pressed = b""
    if not pressed or {*pressed} & {*END_KEYS}:
        end()


def _without_suspension(keyboard: int) -> None:
    attributes = termios.tcgetattr(keyboard)
    attributes[6][termios.VSUSP] = os.fpathconf(keyboard, "PC_VDISABLE").to_bytes(1, "little")
    termios.tcsetattr(keyboard, termios.TCSADRAIN, attributes)
