"""Logs: one line for each request and each business fact, for people or (JSON) for machines."""

import logging
import sys

import structlog


def configure(level: str) -> None:
    """Writes to standard error: coloured for a terminal, JSON otherwise."""
    render: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        # Its default writes out local variables, and with them secrets.
        render = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
