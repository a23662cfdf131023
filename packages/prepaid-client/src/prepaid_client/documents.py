"""JSON as the service writes it, read field by field: numbers never pass through a float."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import NoReturn, Self, TypeVar, get_type_hints

from prepaid_client.errors import Unreadable

T = TypeVar("T")


class Document:
    """A JSON object. What is missing from it, or is something else than it should be, is
    Unreadable; what it has beyond is left alone."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The object that these bytes are.

        Raises:
            Unreadable: they are no JSON, or another kind of it.
        """
        try:
            parsed = json.loads(body, parse_float=Decimal, parse_constant=_refuse)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise Unreadable(f"The answer is no JSON ({error}).") from error
        return cls(_object(parsed))

    def take(self, name: str, read: Callable[[object], T]) -> T:
        """A field, as `read` understands it.

        Raises:
            Unreadable: it isn't there, or `read` doesn't understand it.
        """
        try:
            return read(self._fields[name])
        except KeyError as error:
            raise Unreadable(f"The answer has no {name!r}.") from error
        except (TypeError, ValueError, ArithmeticError) as error:
            raise Unreadable(f"The answer's {name!r} can't be read: {error}.") from error

    def __contains__(self, name: str) -> bool:
        return name in self._fields


def text(field: object) -> str:
    """A string."""
    if not isinstance(field, str):
        raise TypeError("it is not text")
    return field


def flag(field: object) -> bool:
    """True or false."""
    if not isinstance(field, bool):
        raise TypeError("it is neither true nor false")
    return field


def whole(field: object) -> int:
    """A whole number."""
    if isinstance(field, bool) or not isinstance(field, int):
        raise TypeError("it is not a whole number")
    return field


def mark(field: object) -> str:
    """What a page begins with: a number or text, for nobody but who wrote it."""
    return str(whole(field)) if isinstance(field, int) else text(field)


def exact(field: object) -> Decimal:
    """A number, or one that is written as text."""
    if isinstance(field, bool) or not isinstance(field, Decimal | int | str):
        raise TypeError("it is not a number")
    try:
        return Decimal(field)
    except InvalidOperation:
        raise ValueError("it is not a number") from None


def seconds(field: object) -> float:
    """How long something lasts."""
    return float(exact(field))


def instant(field: object) -> datetime:
    """A moment, with its zone."""
    return datetime.fromisoformat(text(field))


def document(field: object) -> Document:
    """An object in the object."""
    return Document(_object(field))


def documents(field: object) -> list[Document]:
    """A list of objects."""
    if not isinstance(field, list):
        raise TypeError("it is not a list")
    return [document(one) for one in field]


def optional(read: Callable[[object], T]) -> Callable[[object], T | None]:
    """The same, or null."""
    return lambda field: None if field is None else read(field)


READERS: dict[object, Callable[[object], object]] = {
    str: text,
    bool: flag,
    int: whole,
    Decimal: exact,
    Decimal | None: optional(exact),
    datetime: instant,
    datetime | None: optional(instant),
}
"""How a field is read, by its type."""


def filled(record: type[T], told: Document) -> T:
    """A record whose fields are called in JSON as in Python.

    Raises:
        Unreadable: one of them isn't there, or is something else.
    """
    kinds = get_type_hints(record)
    return record(**{name: told.take(name, READERS[kind]) for name, kind in kinds.items()})


def _object(parsed: object) -> Mapping[str, object]:
    if not isinstance(parsed, dict):
        raise Unreadable("The answer is not a JSON object.")
    return parsed


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
