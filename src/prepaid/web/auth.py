"""Who calls, and what they may do: the token of a request, and whose account it is about."""

from typing import Annotated

from fastapi import Depends, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from prepaid.core.errors import Forbidden, Unauthenticated
from prepaid.core.identity import Caller, Scope
from prepaid.service import Service
from prepaid.web.bodies import Uid
from prepaid.web.callers import Identity


def service_of(connection: HTTPConnection) -> Service:
    """The running service."""
    service: Service = connection.app.state.service
    return service


_BEARER = HTTPBearer(
    auto_error=False, description="A token of the platform, or an API key of this service."
)
Documented = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
"""Only for the OpenAPI document: the refusals are ours."""


def identity_of(connection: HTTPConnection) -> Identity:
    """Who finds out who calls."""
    identity: Identity = connection.app.state.identity
    return identity


def token_of(connection: HTTPConnection, documented: Documented = None) -> str:
    """The token of a request.

    Raises:
        Unauthenticated: there is none.
    """
    del documented
    return bearer(connection.headers.get("authorization", ""))


def bearer(authorization: str) -> str:
    """The token of an Authorization header.

    Raises:
        Unauthenticated: there is none.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send a token in the header `Authorization: Bearer <token>`.")
    return token.strip()


TheService = Annotated[Service, Depends(service_of)]
TheIdentity = Annotated[Identity, Depends(identity_of)]
Token = Annotated[str, Depends(token_of)]


async def caller_of(identity: TheIdentity, token: Token) -> Caller:
    """Who calls.

    Raises:
        Unauthenticated: nobody that we know.
    """
    return await identity.caller(token)


AnyCaller = Annotated[Caller, Depends(caller_of)]


def _user(caller: AnyCaller) -> Caller:
    if caller.scope is not Scope.USER:
        raise Forbidden("Only a platform user can do this: the token is the platform's own.")
    return caller


def _platform(caller: AnyCaller) -> Caller:
    if caller.scope is Scope.USER:
        raise Forbidden("Only the platform can do this: it takes a token of scope service.")
    return caller


def _admin(caller: AnyCaller) -> Caller:
    if caller.scope is not Scope.ADMIN:
        raise Forbidden("Only an operator can do this: it takes a token of scope admin.")
    return caller


User = Annotated[Caller, Depends(_user)]
Platform = Annotated[Caller, Depends(_platform)]
Admin = Annotated[Caller, Depends(_admin)]

AccountUid = Annotated[
    Uid | None, Query(description="The account; a user may only name their own.")
]
"""Whose account, where a query may say so."""


def account_for(caller: Caller, asked: str | None) -> str:
    """Whose account a request is about: a user's own, or the one that the platform names.

    Raises:
        Forbidden: a user asks for another account, or the platform names none.
    """
    if caller.scope is Scope.USER:
        if asked not in {None, caller.account_uid}:
            raise Forbidden("A user sees their own account only.")
        return caller.account_uid
    if asked is None:
        raise Forbidden("This token is the platform's: say whose account with `account_uid`.")
    return asked


def _account(
    caller: AnyCaller,
    account_uid: AccountUid = None,
    billing_entity_uid: Annotated[
        Uid | None, Query(description="The same, as Datalayer's clients call it.")
    ] = None,
) -> str:
    if None not in {account_uid, billing_entity_uid} and account_uid != billing_entity_uid:
        raise Forbidden("`account_uid` and `billing_entity_uid` name two accounts.")
    return account_for(caller, account_uid or billing_entity_uid)


TheAccount = Annotated[str, Depends(_account)]
"""Whose account, by either of the names that a query may use. Datalayer's `billing_entity_kind`
beside it says nothing here: an organization's account is an account."""
