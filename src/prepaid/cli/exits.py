"""How a command ends: its exit code, and what it says when it could not do what was asked."""

import sys
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes, here and nowhere else."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    SETTINGS = 3
    UNAVAILABLE = 4


EPILOG = (
    "Exit codes: 0 done; 1 refused, or verify or doctor found something; 2 wrong usage; "
    "3 the settings are at fault; 4 the database or Stripe is away: try again. With --json the "
    "result is one JSON document on standard output, and a refusal is one on standard error."
)


def tell(error: Exception, *, as_json: bool) -> Exit | None:
    """Says on standard error why something was not done, and which exit code that is.

    None is for what is neither a refusal nor a fault of the settings: a fault of ours.
    """
    from prepaid.core.errors import Refusal
    from prepaid.settings import SettingsFault

    if isinstance(error, SettingsFault):
        _say("settings_fault", "The settings are at fault", error.faults, as_json=as_json)
        return Exit.SETTINGS
    if isinstance(error, Refusal):
        _say(error.code, error.title, (str(error),), as_json=as_json)
        return _code_of(error)
    return None


def _code_of(refusal: Exception) -> Exit:
    """Trying again is no use where Stripe understood and said no."""
    from prepaid.core.errors import StripeRefused, Unavailable

    away = isinstance(refusal, Unavailable) and not isinstance(refusal, StripeRefused)
    return Exit.UNAVAILABLE if away else Exit.REFUSED


def _say(code: str, title: str, sentences: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        from prepaid.exact import encode

        detail = " ".join(sentences)
        problem = {"code": code, "title": title, "detail": detail, "errors": sentences}
        sentences = (encode(problem).decode(),)
    for sentence in sentences:
        print(sentence, file=sys.stderr)
