"""The shop: what selling needs, and how this deployment sells."""

from dataclasses import dataclass
from uuid import UUID

from prepaid.flows.catalog import Catalog
from prepaid.payments.gateway import Gateway
from prepaid.storage.database import Database


@dataclass(frozen=True, slots=True)
class Shop:
    """`return_origins` are the only origins (`https://host`) that a buyer is sent back to."""

    database: Database
    gateway: Gateway
    catalog: Catalog
    deployment: UUID
    return_origins: frozenset[str]
    automatic_tax: bool
