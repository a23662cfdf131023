"""Who calls: a bearer token becomes a caller with a scope."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from prepaid.core.errors import Forbidden, Unauthenticated, Unavailable
from prepaid.core.identity import Caller, Scope
from prepaid.flows import accounts, keys
from prepaid.service import Service
from prepaid.storage.accounts import Profile
from prepaid.web.bodies import Uid
from prepaid.web.tokens import Tokens

REMEMBERED = 10_000
"""Platform users whose account is known to exist and whose profile is known to be as written."""


@dataclass(slots=True)
class Identity:
    """Finds out who calls. It remembers whom it has seen, to write only profiles that are new."""

    service: Service
    tokens: Tokens
    _seen: dict[str, Profile] = field(default_factory=dict)

    async def caller(self, token: str) -> Caller:
        """Who has this token.

        Raises:
            Unauthenticated: nobody that we know.
        """
        if token.startswith(keys.PREFIX):
            return await self._by_key(token)
        person = await self.tokens.person(token, self.service.clock())
        uid = person.uid
        if self._seen.get(uid) != person.profile:
            await accounts.enter(self.service.database, uid, person.profile, self.service.clock())
            self._remember(uid, person.profile)
        return Caller(Scope.USER, uid, uid)

    async def still(self, token: str) -> bool:
        """Whether a token that was good still is. Who can't be asked now has not said no. It
        writes no profile: an old token would undo what a newer one said."""
        try:
            if token.startswith(keys.PREFIX):
                await self._by_key(token)
            else:
                await self.tokens.person(token, self.service.clock())
        except Unauthenticated:
            return False
        except Unavailable:
            return True
        return True

    async def _by_key(self, secret: str) -> Caller:
        key = await keys.found(self.service.database, secret)
        if key is None:
            raise Unauthenticated("There is no such API key, or it was revoked.")
        return Caller(key.scope, key.name, key.account_uid or "")

    def _remember(self, uid: str, profile: Profile) -> None:
        if len(self._seen) >= REMEMBERED:
            self._seen.clear()
        self._seen[uid] = profile


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
    """The token of the Authorization header.

    Raises:
        Unauthenticated: there is none.
    """
    del documented
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
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
