"""Logs: one line for each request and each business fact, for people or (JSON) for machines."""

import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import structlog


def configure(level: str) -> None:
    """Writes to standard error: coloured for a terminal, JSON otherwise."""
    render, factory = _for_people() if sys.stderr.isatty() else _for_machines()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )


_Form = tuple[structlog.typing.Processor, Callable[..., structlog.typing.WrappedLogger]]


def _for_people() -> _Form:
    """Not as structlog does by itself: it writes out local variables, and with them secrets."""
    traceback = structlog.dev.plain_traceback
    render = structlog.dev.ConsoleRenderer(exception_formatter=traceback)
    return render, structlog.PrintLoggerFactory(sys.stderr)


def _for_machines() -> _Form:
    """As bytes: each purchase writes a line, and this takes half as long as by text."""
    render = structlog.processors.JSONRenderer(serializer=_json)
    return render, structlog.BytesLoggerFactory(sys.stderr.buffer)


def _json(line: object, default: Callable[[Any], Any]) -> bytes:
    """In ASCII: what others wrote may have characters that a terminal obeys, or half ones."""
    with suppress(UnicodeEncodeError):
        written = msgspec.json.encode(line, enc_hook=default)
        if written.isascii():
            return written
    return json.dumps(line, default=default).encode()
