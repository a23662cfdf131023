"""Who I am, and the API keys I have."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from prepaid.core.errors import Forbidden
from prepaid.core.identity import Caller, Scope
from prepaid.flows import accounts, keys
from prepaid.storage.accounts import AccountRow
from prepaid.storage.api_keys import ApiKey
from prepaid.web.auth import AnyCaller, TheIdentity, TheService
from prepaid.web.bodies import ExactRoute, Json, Uid
from prepaid.web.openapi import refusals

router = APIRouter(route_class=ExactRoute, tags=["identity"])


class ProfileOut(BaseModel):
    """A platform user, in Datalayer's words. A key of the platform is described in them too: its
    name is its handle, and it has no uid, since it has no account."""

    id: str
    uid: str
    handle_s: str
    email_s: str | None
    first_name_t: str
    last_name_t: str
    type_s: str = "user"
    creation_ts_dt: datetime | None
    roles_ss: list[str] = ["platform_member"]


class WhoamiOut(BaseModel):
    """The caller. `scope` is what they may do."""

    success: bool = True
    message: str = "OK"
    profile: ProfileOut
    scope: Scope


class KeyIn(BaseModel):
    """A key to be made. Users make keys for themselves; operators for anybody and the platform."""

    name: str
    scope: Scope = Scope.USER
    account_uid: Uid | None = None


class KeyOut(BaseModel):
    """A key, without its secret."""

    id: UUID
    name: str
    scope: Scope
    account_uid: str | None
    created_at: datetime
    revoked_at: datetime | None


class NewKeyOut(BaseModel):
    """A new key: `token` is told now and never again."""

    success: bool = True
    message: str = "Copy the token now: it is not shown again."
    api_key: KeyOut
    token: str


class KeysOut(BaseModel):
    """Keys."""

    success: bool = True
    message: str = "OK"
    api_keys: list[KeyOut]


class DoneOut(BaseModel):
    """It is done."""

    success: bool = True
    message: str = "OK"


@router.get("/api/iam/v1/whoami", response_model=WhoamiOut, responses=refusals(401, 503))
async def whoami(service: TheService, caller: AnyCaller) -> Response:
    """Whose token this is, and what it allows."""
    if caller.scope is Scope.USER:
        described = _person(await accounts.account(service.database, caller.account_uid))
    else:
        described = _key_of_the_platform(caller)
    return Json(WhoamiOut(profile=described, scope=caller.scope))


@router.get("/api/iam/v1/api-keys", response_model=KeysOut, responses=refusals(401, 403, 503))
async def list_keys(service: TheService, caller: AnyCaller) -> Response:
    """The caller's keys; all of them for an operator."""
    found = await keys.listed(service.database, _owner(caller))
    return Json(KeysOut(api_keys=[_key(key) for key in found]))


@router.post(
    "/api/iam/v1/api-keys",
    status_code=201,
    response_model=NewKeyOut,
    responses=refusals(400, 401, 403, 404, 409, 413, 422, 503),
)
async def make_key(service: TheService, caller: AnyCaller, asked: KeyIn) -> Response:
    """Makes a key."""
    owner = _owner(caller)
    if owner is not None and (
        asked.scope is not Scope.USER or asked.account_uid not in {None, owner}
    ):
        raise Forbidden("A user makes keys of scope user, for their own account.")
    made = await keys.make(
        service.database, asked.name, asked.scope, owner or asked.account_uid, service.clock()
    )
    return Json(NewKeyOut(api_key=_key(made.key), token=made.secret), status_code=201)


@router.delete(
    "/api/iam/v1/api-keys/{key_id}",
    response_model=DoneOut,
    responses=refusals(401, 403, 404, 422, 503),
)
async def revoke_key(
    service: TheService, identity: TheIdentity, caller: AnyCaller, key_id: UUID
) -> Response:
    """Ends a key, at once and for good."""
    await keys.revoke(service.database, key_id, service.clock(), _owner(caller))
    identity.forget()
    return Json(DoneOut())


def _person(account: AccountRow) -> ProfileOut:
    profile = account.profile
    return ProfileOut(
        id=account.uid,
        uid=account.uid,
        handle_s=profile.handle if profile else account.uid,
        email_s=profile.email if profile else None,
        first_name_t=profile.first_name if profile else "",
        last_name_t=profile.last_name if profile else "",
        creation_ts_dt=account.created_at,
    )


def _key_of_the_platform(caller: Caller) -> ProfileOut:
    return ProfileOut(
        id="",
        uid="",
        handle_s=caller.name,
        email_s=None,
        first_name_t="",
        last_name_t="",
        type_s="api_key",
        creation_ts_dt=None,
        roles_ss=[f"platform_{caller.scope}"],
    )


def _owner(caller: Caller) -> str | None:
    """Whose keys the caller rules: their own, or (an operator) everybody's."""
    if caller.scope is Scope.SERVICE:
        raise Forbidden("A token of scope service makes and sees no keys: that takes scope admin.")
    return caller.account_uid or None


def _key(key: ApiKey) -> KeyOut:
    described: dict[str, Any] = {name: getattr(key, name) for name in KeyOut.model_fields}
    return KeyOut(**described)
