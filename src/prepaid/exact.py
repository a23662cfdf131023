"""Exact JSON: credits as decimal numbers that never pass through a float."""

from decimal import Decimal
from typing import Annotated

import msgspec
from pydantic import WithJsonSchema

from prepaid.core.amounts import MICRO, Credits

ExactNumber = Annotated[
    Decimal,
    WithJsonSchema(
        {"type": "number", "description": "At most six decimals, exact."}, mode="serialization"
    ),
]
"""Credits in what is answered."""

_MICRO = Decimal(MICRO)

_encoder = msgspec.json.Encoder(decimal_format="number")


def number(amount: Credits) -> Decimal:
    """Credits as they are written in JSON: without an exponent or trailing zeros."""
    return Decimal(amount.micro) / _MICRO


def encode(document: object) -> bytes:
    """The JSON of a document, its decimals as numbers, digit by digit."""
    return _encoder.encode(document)
