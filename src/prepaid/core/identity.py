"""Who asks: scopes, and the names that accounts and idempotency keys may have."""

import re
from enum import StrEnum

from prepaid.core.errors import InvalidAccount, InvalidKey
from prepaid.core.values import Value

_UID = re.compile("[!-~]{1,128}")
_KEY = re.compile("[ -~]{1,200}")


class Scope(StrEnum):
    """What a caller may do.

    A user sees and spends one account; a service acts for every account of the platform; an admin
    does that, and makes accounts, grants and keys.
    """

    USER = "user"
    SERVICE = "service"
    ADMIN = "admin"


class Caller(Value, frozen=True):
    """Somebody who has proved who they are. `account_uid` is empty unless they are a user.

    `name` is how the books call them: an API key's name, or the platform user's uid.
    """

    scope: Scope
    name: str
    account_uid: str = ""


def account_uid(written: str) -> str:
    """The uid, if it can be one.

    Raises:
        InvalidAccount: it has blanks or other than printable ASCII characters, or too many.
    """
    if not _UID.fullmatch(written):
        raise InvalidAccount(
            "An account's uid is 1 to 128 printable ASCII characters without blanks."
        )
    return written


def idempotency_key(written: str) -> str:
    """The key, if it can be one.

    Raises:
        InvalidKey: it is empty, too long, or has other than printable ASCII characters.
    """
    if not _KEY.fullmatch(written):
        raise InvalidKey("An idempotency key is 1 to 200 printable ASCII characters.")
    return written
