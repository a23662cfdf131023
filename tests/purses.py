"""An account for tests, with credits in it, as its operator sees it."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from local_service import House, token

ACCOUNTS = "/api/iam/v1/accounts"


@dataclass(frozen=True)
class Purse:
    """An account, and an operator's token."""

    house: House
    admin: str
    uid: str

    def give(self, amount: int | str) -> "Purse":
        """Grants credits; makes the account if there is none."""
        self.house.post(ACCOUNTS, self.admin, {"uid": self.uid}, 201)
        granted = {"credits": amount, "key": uuid4().hex, "reason": "to spend"}
        self.house.post(f"{ACCOUNTS}/{self.uid}/grants", self.admin, granted, 201)
        return self

    @property
    def credits(self) -> Decimal:
        """What is posted."""
        return Decimal(str(self.house.credits_of(self.uid, self.admin)))

    @property
    def token(self) -> str:
        """The user's own token."""
        return token(self.uid)
