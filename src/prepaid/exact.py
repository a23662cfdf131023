"""Exact JSON: credits as decimal numbers that never pass through a float."""

from decimal import Decimal

import msgspec

from prepaid.core.amounts import Credits

_encoder = msgspec.json.Encoder(decimal_format="number")


def number(amount: Credits) -> Decimal:
    """Credits as they are written in JSON."""
    return Decimal(str(amount))


def encode(document: object) -> bytes:
    """The JSON of a document, its decimals as numbers, digit by digit."""
    return _encoder.encode(document)
