"""The type annotations of the installed Stripe SDK, as small shapes that can be walked.

The SDK keeps its names behind ``TYPE_CHECKING`` and quotes them, so ``typing.get_type_hints``
can't resolve them. Here each name is imported when an annotation first asks for it.
"""

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, reduce
from types import ModuleType, NoneType, UnionType
from typing import (
    Any,
    ForwardRef,
    Literal,
    TypeAlias,
    Union,
    get_args,
    get_origin,
)

import typing_extensions
from stripe import ListObject, StripeObject
from stripe._request_options import RequestOptions
from stripe._stripe_object import UntypedStripeObject

# Options of a call (the key, the version, retries), which travel as headers and not as parameters.
OPTIONS = frozenset(RequestOptions.__annotations__)


@dataclass(frozen=True)
class Scalar:
    """A leaf: ``int``, ``bool``, ``str``, ``float``, ``Decimal``, ``NoneType`` or ``object``."""

    kind: type


@dataclass(frozen=True)
class OneOf:
    """A literal: one of these values and nothing else."""

    values: tuple[object, ...]


@dataclass(frozen=True)
class ListOf:
    """A list of one shape."""

    item: "Shape"


@dataclass(frozen=True)
class PageOf:
    """Stripe's list object: ``object``, ``data``, ``has_more``, ``url``."""

    item: "Shape"


@dataclass(frozen=True)
class MapOf:
    """A mapping from any string to one shape: metadata, most often."""

    value: "Shape"


@dataclass(frozen=True)
class Record:
    """A TypedDict of parameters or a class of resources; its fields are read when needed."""

    cls: type


@dataclass(frozen=True)
class Choice:
    """One of several shapes. An optional field has ``Scalar(NoneType)`` among them."""

    options: tuple["Shape", ...]


Shape: TypeAlias = Scalar | OneOf | ListOf | PageOf | MapOf | Record | Choice


@dataclass(frozen=True)
class Field:
    """One field of a record."""

    shape: Shape
    required: bool


@cache
def fields(cls: type) -> Mapping[str, Field]:
    """The fields of a TypedDict of parameters, or of a class of Stripe's objects."""
    return _params_fields(cls) if typing_extensions.is_typeddict(cls) else _object_fields(cls)


def nullable(shape: Shape) -> bool:
    """Tell whether null is one of the shape's values."""
    return isinstance(shape, Choice) and Scalar(NoneType) in shape.options


def _params_fields(cls: type) -> dict[str, Field]:
    required: frozenset[str] = getattr(cls, "__required_keys__", frozenset())
    names = _Names(sys.modules[cls.__module__])
    return {
        key: Field(_shape(hint, names), key in required)
        for key, hint in cls.__annotations__.items()
        if key not in OPTIONS
    }


def _object_fields(cls: type) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for base in reversed(cls.__mro__):
        if not issubclass(base, StripeObject) or base is StripeObject:
            continue
        names = _Names(sys.modules[base.__module__])
        for key, hint in inspect.get_annotations(base).items():
            if key.startswith("_") or str(hint).startswith("typing.ClassVar"):
                continue
            shape = _shape(hint, names)
            found[key] = Field(shape, required=not nullable(shape))
    return found


def _shape(hint: object, names: "_Names") -> Shape:
    if isinstance(hint, ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        return _shape(names.evaluate(hint), names)
    if hint is Any:
        return Scalar(object)
    if isinstance(hint, type) and get_origin(hint) is None:
        return _plain(hint)
    origin = get_origin(hint)
    return _BY_ORIGIN[origin]([*get_args(hint)], names)


def _plain(hint: type) -> Shape:
    if hint in {int, bool, str, float, Decimal, NoneType, object}:
        return Scalar(hint)
    if hint is UntypedStripeObject or hint is dict:
        return MapOf(Scalar(object))
    return Record(hint)


def _literal(args: list[Any], _names: "_Names") -> Shape:
    return OneOf(tuple(args))


def _union(args: list[Any], names: "_Names") -> Shape:
    """Flatten a union, and close an enum that the SDK leaves open.

    The SDK types an enum as ``Literal[...] | str`` so that old code reads new values. What we send
    and what the simulator gives must be a value that is known today, so the ``str`` is dropped.
    ``Literal[""] | str`` is no enum: it is a string that an empty one unsets.
    """
    shapes = [option for arg in args for option in _options(_shape(arg, names))]
    enum = any(isinstance(s, OneOf) and s.values not in {("",), (True,)} for s in shapes)
    kept = tuple(s for s in dict.fromkeys(shapes) if not (enum and s == Scalar(str)))
    return kept[0] if len(kept) == 1 else Choice(kept)


def _options(shape: Shape) -> tuple[Shape, ...]:
    return shape.options if isinstance(shape, Choice) else (shape,)


def _inner(args: list[Any], names: "_Names") -> Shape:
    return _shape(args[0], names)


_BY_ORIGIN: dict[object, Callable[[list[Any], "_Names"], Shape]] = {
    Literal: _literal,
    typing_extensions.Literal: _literal,
    Union: _union,
    UnionType: _union,
    typing_extensions.NotRequired: _inner,
    typing_extensions.Required: _inner,
    list: lambda args, names: ListOf(_shape(args[0], names)),
    ListObject: lambda args, names: PageOf(_shape(args[0], names)),
    dict: lambda args, names: MapOf(_shape(args[1], names)),
    UntypedStripeObject: lambda args, names: MapOf(_shape(args[0], names)),
}


class _Names(Mapping[str, object]):
    """The names an SDK module sees, those that only a type checker imports included."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def evaluate(self, annotation: str) -> object:
        """Evaluate one of the SDK's own quoted annotations."""
        try:
            return eval(annotation, vars(self._module), self)  # noqa: S307 - the SDK's, not a caller's
        except TypeError:  # "X"|None and the like, which Python itself can't evaluate
            return self._piecewise(annotation)

    def _piecewise(self, annotation: str) -> object:
        parts = [self.evaluate(part.strip()) for part in annotation.split("|")]
        return reduce(lambda left, right: Union[left, right], parts)  # noqa: UP007 - of values

    def __getitem__(self, name: str) -> object:
        module, original = _checking_imports(self._module)[name]
        return getattr(importlib.import_module(module), original)

    def __iter__(self) -> Iterator[str]:
        return iter(_checking_imports(self._module))

    def __len__(self) -> int:
        return len(_checking_imports(self._module))


@cache
def _checking_imports(module: ModuleType) -> dict[str, tuple[str, str]]:
    """What a module imports under ``if TYPE_CHECKING``: alias to (module, name)."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                if isinstance(line, ast.ImportFrom) and line.module:
                    found |= {a.asname or a.name: (line.module, a.name) for a in line.names}
    return found
