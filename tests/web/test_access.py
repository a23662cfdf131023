import pytest

from local_service import CREDITS, RETURN_URL, SESSIONS, House, refused, token
from local_stripe import Json
from prepaid.core.identity import Scope

KEYS = "/api/iam/v1/api-keys"
ACCOUNTS = "/api/iam/v1/accounts"
ENTRIES = "/api/iam/v1/usage/entries"
BALANCES = "/api/iam/v1/usage/balance-history"
NOBODY = "00000000-0000-0000-0000-000000000000"

# Who may: a platform's token, and an API key of each scope. The account is `owner`'s.
#   method, path, body: user's JWT, user key, service key, admin key, nobody
TABLE = [
    ("GET", "/api/iam/v1/whoami", None, 200, 200, 200, 200, 401),
    ("GET", CREDITS, None, 200, 200, 403, 403, 401),
    ("GET", f"{CREDITS}?account_uid=owner", None, 200, 200, 200, 200, 401),
    ("GET", f"{CREDITS}?account_uid=other", None, 403, 403, 200, 200, 401),
    ("GET", "/api/iam/v1usage/credits", None, 200, 200, 403, 403, 401),
    ("GET", f"{CREDITS}/users/owner", None, 403, 403, 200, 200, 401),
    ("GET", f"{CREDITS}/users/nobody", None, 403, 403, 404, 404, 401),
    ("GET", ENTRIES, None, 200, 200, 403, 403, 401),
    ("GET", f"{ENTRIES}?account_uid=owner", None, 200, 200, 200, 200, 401),
    ("GET", f"{ENTRIES}?account_uid=other", None, 403, 403, 200, 200, 401),
    ("GET", f"{ENTRIES}?account_uid=nobody", None, 403, 403, 404, 404, 401),
    ("GET", "/api/iam/v1/usage/spending", None, 200, 200, 403, 403, 401),
    ("GET", f"{BALANCES}?since=2020-01-31T00:00:00Z", None, 200, 200, 403, 403, 401),
    ("GET", ACCOUNTS, None, 403, 403, 200, 200, 401),
    ("GET", f"{ACCOUNTS}?search=own", None, 403, 403, 200, 200, 401),
    ("GET", f"{ACCOUNTS}/owner", None, 403, 403, 200, 200, 401),
    ("GET", f"{ACCOUNTS}/nobody", None, 403, 403, 404, 404, 401),
    ("POST", ACCOUNTS, {"uid": "made"}, 403, 403, 403, 201, 401),
    (
        "POST",
        f"{ACCOUNTS}/owner/grants",
        {"credits": 1, "key": "table", "reason": "a table"},
        *(403, 403, 403, 201, 401),
    ),
    ("GET", "/api/iam/stripe/v1/checkouts", None, 403, 403, 403, 200, 401),
    ("GET", "/api/iam/stripe/v1/checkouts?account_uid=owner", None, 403, 403, 403, 200, 401),
    ("GET", "/api/iam/stripe/v1/events", None, 403, 403, 403, 200, 401),
    ("GET", "/api/iam/stripe/v1/events/evt_none", None, 403, 403, 403, 404, 401),
    ("GET", "/api/iam/v1/totals", None, 403, 403, 403, 200, 401),
    ("GET", "/api/iam/v1/doctor", None, 403, 403, 403, 200, 401),
    ("GET", KEYS, None, 200, 200, 403, 200, 401),
    ("POST", KEYS, {"name": "mine"}, 201, 201, 403, 400, 401),
    ("POST", KEYS, {"name": "mine", "account_uid": "owner"}, 201, 201, 403, 201, 401),
    ("POST", KEYS, {"name": "theirs", "account_uid": "other"}, 403, 403, 403, 201, 401),
    ("POST", KEYS, {"name": "x", "account_uid": "nobody"}, 403, 403, 403, 404, 401),
    ("POST", KEYS, {"name": "x", "scope": "admin"}, 403, 403, 403, 201, 401),
    ("POST", KEYS, {"name": "x", "scope": "service"}, 403, 403, 403, 201, 401),
    (
        "POST",
        KEYS,
        {"name": "x", "scope": "admin", "account_uid": "owner"},
        *(403, 403, 403, 400, 401),
    ),
    ("DELETE", f"{KEYS}/{NOBODY}", None, 404, 404, 403, 404, 401),
    ("POST", SESSIONS, {"price_id": "none", "return_url": RETURN_URL}, 404, 404, 403, 403, 401),
    ("GET", f"{SESSIONS}/cs_test_none", None, 404, 404, 403, 403, 401),
    ("GET", f"{SESSIONS}/cs_test_none/receipt", None, 404, 404, 403, 403, 401),
    ("GET", f"{SESSIONS}s", None, 200, 200, 403, 403, 401),
    ("GET", f"{SESSIONS}s?account_uid=owner", None, 200, 200, 200, 200, 401),
    ("GET", f"{SESSIONS}s?account_uid=other", None, 403, 403, 200, 200, 401),
    ("POST", "/api/iam/v1/checkout/portal", {}, 200, 200, 403, 403, 401),
    ("GET", "/api/iam/stripe/v1/prices", None, 200, 200, 200, 200, 200),
    ("GET", "/api/iam/v1/ping", None, 200, 200, 200, 200, 200),
    ("GET", "/healthz", None, 200, 200, 200, 200, 200),
]
WHO = ("platform's user", "user key", "service key", "admin key", "nobody")


@pytest.fixture(scope="session")
def callers(shared: House) -> dict[str, str | None]:
    """Everybody's token."""
    shared.get("/api/iam/v1/whoami", token("other"))
    return {
        "platform's user": token("owner"),
        "user key": shared.key(Scope.USER, "owner").secret,
        "service key": shared.key(Scope.SERVICE).secret,
        "admin key": shared.key(Scope.ADMIN).secret,
        "nobody": None,
    }


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]} {row[1]} {row[2] or ''}")
def test_everybody_may_what_the_table_says(
    house: House, callers: dict[str, str | None], row: tuple[str, str, object, int]
) -> None:
    method, path, body, *statuses = row
    for who, status in zip(WHO, statuses, strict=True):
        answer = house.ask(method, path, callers[who], json=body)
        assert (who, answer.status_code) == (who, status), answer.text
        if status >= 400:
            refused(answer, int(status))


def test_a_key_is_told_once_and_works_at_once(both: House, user: str, uid: str) -> None:
    made = both.post(KEYS, user, {"name": "laptop"}, 201)
    assert made["token"].startswith("prepaid_")
    assert made["api_key"]["account_uid"] == uid
    assert both.credits(made["token"]) == 0
    (listed,) = both.get(KEYS, user)["api_keys"]
    assert listed == made["api_key"]
    assert made["token"] not in str(both.get(KEYS, user))


def test_a_key_that_is_revoked_ends_at_once_and_for_good(both: House, user: str) -> None:
    made = both.post(KEYS, user, {"name": "laptop"}, 201)
    for _ in range(2):
        assert both.ask("DELETE", f"{KEYS}/{made['api_key']['id']}", user).status_code == 200
        refused(both.ask("GET", CREDITS, made["token"]), 401, "unauthenticated")
    (listed,) = both.get(KEYS, user)["api_keys"]
    assert listed["revoked_at"] is not None


def test_nobody_sees_or_ends_anothers_key(house: House, user: str) -> None:
    made = house.post(KEYS, user, {"name": "laptop"}, 201)
    stranger = token("stranger")
    assert made["api_key"]["id"] not in str(house.get(KEYS, stranger))
    answer = house.ask("DELETE", f"{KEYS}/{made['api_key']['id']}", stranger)
    refused(answer, 404, "unknown_api_key")
    assert house.credits(made["token"]) == 0


def test_a_key_of_a_user_sees_no_other_users_keys(house: House, user: str) -> None:
    made = house.post(KEYS, user, {"name": "laptop"}, 201)
    admins = house.key(Scope.ADMIN)
    seen = house.get(KEYS, made["token"])["api_keys"]
    assert [key["id"] for key in seen] == [made["api_key"]["id"]]
    refused(house.ask("DELETE", f"{KEYS}/{admins.key.id}", made["token"]), 404)


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb", "a\0b", "\x1b[2J"])
def test_a_key_has_a_name_that_can_be_shown(both: House, user: str, name: str) -> None:
    refused(both.ask("POST", KEYS, user, json={"name": name}), 400)


@pytest.mark.parametrize("uid", ["", " ", "a b", "ü", "a\0", "x" * 129])
def test_an_account_has_a_uid_that_every_system_takes(both: House, uid: str) -> None:
    refused(both.ask("POST", ACCOUNTS, both.admin(), json={"uid": uid}), 400, "invalid_account")


@pytest.mark.parametrize(
    "path",
    [
        f"{CREDITS}/users/a%00b",
        f"{CREDITS}?account_uid=a%00b",
        f"{CREDITS}?account_uid=%ff",
        f"{ENTRIES}?account_uid=%00",
        f"{ENTRIES}?account_uid=owner&before=0",
        f"{ENTRIES}?account_uid=owner&before=9223372036854775808",
        f"{ENTRIES}?account_uid=owner&limit=0",
        f"{ENTRIES}?account_uid=owner&limit=101",
        f"{ENTRIES}?account_uid=owner&limit=1e3",
        f"{ACCOUNTS}?after=%00",
        f"{ACCOUNTS}?limit=-1",
        f"{ACCOUNTS}?search=%00",
        f"{ACCOUNTS}?search={'x' * 129}",
    ],
)
def test_what_no_account_or_page_can_be_is_refused(both: House, path: str) -> None:
    refused(both.ask("GET", path, both.key(Scope.SERVICE).secret), 422, "invalid_request")


@pytest.mark.parametrize("key_id", ["1", "x", "a%00b", f"{NOBODY}0"])
def test_what_no_key_can_be_called_is_refused(both: House, user: str, key_id: str) -> None:
    refused(both.ask("DELETE", f"{KEYS}/{key_id}", user), 422)


def test_accounts_are_listed_a_page_at_a_time(both: House) -> None:
    admin = both.admin()
    uids = sorted(f"user-{n}" for n in range(7))
    for uid in reversed(uids):
        assert both.post(ACCOUNTS, admin, {"uid": uid}, 201)["account"]["credits"] == 0
        both.post(ACCOUNTS, admin, {"uid": uid}, 201)
    seen: list[str] = []
    page: Json = {"next_after": ""}
    while (after := page["next_after"]) is not None:
        page = both.get(ACCOUNTS, admin, params={"after": after, "limit": 3})
        seen += [account["uid"] for account in page["accounts"]]
    assert seen == uids
