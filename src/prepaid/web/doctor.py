"""The doctor over HTTP: the whole set-up, looked at when an operator asks."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import HTTPConnection
from starlette.responses import Response

from prepaid.payments.gateway import Gateway
from prepaid.settings import Settings
from prepaid.web.auth import Admin, TheService
from prepaid.web.bodies import Json
from prepaid.web.openapi import refusals

if TYPE_CHECKING:
    from prepaid.flows.doctor import Doctor, Sign

router = APIRouter(tags=["operating"])


class SignOut(BaseModel):
    """Something the doctor saw, and what to do about it; `remedy` is empty where nothing is. A
    fault stops sales or loses track of one; a note may be as it is meant."""

    level: Literal["ok", "note", "fault"]
    what: str
    remedy: str


class ExaminedOut(BaseModel):
    """What the doctor saw. Healthy is a set-up without a fault."""

    success: bool = True
    message: str = "OK"
    healthy: bool
    at: datetime
    signs: list[SignOut]


@dataclass(slots=True)
class Surgery:
    """Where the doctor is. They come when somebody first asks, with Stripe's SDK, which no service
    loads before it needs it."""

    settings: Settings
    gateway: Gateway
    _doctor: "Doctor | None" = None
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def signs(self) -> list["Sign"]:
        """Every sign there is now."""
        async with self._loading:
            if self._doctor is None:
                self._doctor = await asyncio.to_thread(self._load)
        return await self._doctor.signs()

    def _load(self) -> "Doctor":
        from prepaid.flows.doctor import Doctor  # noqa: PLC0415 - see above
        from prepaid.patient import patient_of  # noqa: PLC0415 - see above

        return Doctor(patient_of(self.settings, self.gateway))


def _surgery(connection: HTTPConnection) -> Surgery:
    surgery: Surgery = connection.app.state.surgery
    return surgery


@router.get("/api/iam/v1/doctor", response_model=ExaminedOut, responses=refusals(401, 403, 503))
async def examined(
    service: TheService, caller: Admin, surgery: Annotated[Surgery, Depends(_surgery)]
) -> Response:
    """Looks at settings, Stripe, webhook, database and quarantine. It asks Stripe, for half a
    minute at most; who asks meanwhile is told the same."""
    del caller
    signs = await surgery.signs()
    seen = [SignOut(level=one.level.value, what=one.what, remedy=one.remedy) for one in signs]
    healthy = all(one.level != "fault" for one in seen)
    return Json(ExaminedOut(healthy=healthy, at=service.clock(), signs=seen))
