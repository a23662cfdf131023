"""Whether the service lives, and whether it is ready."""

from importlib.metadata import version

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from prepaid.web.auth import TheService
from prepaid.web.bodies import Json
from prepaid.web.openapi import refusals

router = APIRouter(tags=["health"])


class AliveOut(BaseModel):
    """The process answers."""

    success: bool = True
    message: str = "OK"
    version: str


@router.get("/healthz", response_model=AliveOut)
@router.get("/api/iam/version", response_model=AliveOut)
@router.get("/api/iam/v1/ping", response_model=AliveOut)
async def alive() -> Response:
    """The process answers; it says nothing of the database."""
    return Json(AliveOut(version=version("prepaid")))


@router.get("/readyz", response_model=AliveOut, responses=refusals(503))
async def ready(service: TheService) -> Response:
    """The database answers too, so that requests can be served."""
    await service.database.answers()
    return Json(AliveOut(version=version("prepaid")))
