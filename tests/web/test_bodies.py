import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from local_service import CREDITS, House, exact, refused
from local_stripe import Json
from prepaid.core.identity import Scope
from prepaid.web.bodies import LARGEST_BODY

ACCOUNTS = "/api/iam/v1/accounts"
ENTRIES = "/api/iam/v1/usage/entries"
JSON = {"Content-Type": "application/json"}


def grants(uid: str) -> str:
    return f"{ACCOUNTS}/{uid}/grants"


@pytest.fixture
def admin(house: House, uid: str) -> str:
    """An operator's token; the user's account exists."""
    house.key(Scope.USER, uid)
    return house.admin()


def asked(**other: object) -> Json:
    usual: Json = {"credits": 1, "key": "gift", "reason": "welcome"}
    return usual | other


def raw(amount: str, key: str = "gift") -> bytes:
    """A grant whose credits are written just so."""
    return f'{{"credits": {amount}, "key": "{key}", "reason": "welcome"}}'.encode()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("0.000001", "0.000001"),
        ("999999999.999999", "999999999.999999"),
        ("123456789.123457", "123456789.123457"),
        ("1e-6", "0.000001"),
        ("0.1", "0.1"),
        ("12.50", "12.5"),
        ("50", 50),
        ("5e1", 50),
        ("50.000000", 50),
        ('"0.30"', "0.3"),
        ('"50"', 50),
        ("1." + "0" * 30, 1),
    ],
)
def test_credits_are_exact_on_the_wire(
    house: House, admin: str, uid: str, written: str, told: object
) -> None:
    answer = house.ask("POST", grants(uid), admin, content=raw(written), headers=JSON)
    assert answer.status_code == 201, answer.text
    entry = exact(answer)["entry"]
    assert entry["credits"] == entry["balance"] == told
    balance = house.get(f"{CREDITS}/users/{uid}", admin)
    assert balance["credits"]["credits"] == told


def test_a_tenth_thirty_times_is_three(both: House) -> None:
    admin = both.admin()
    both.post(ACCOUNTS, admin, {"uid": "ada"}, 201)
    for n in range(30):
        sent = raw("0.1" if n % 2 else '"0.1"', f"tenth-{n}")
        answer = both.ask("POST", grants("ada"), admin, content=sent, headers=JSON)
        assert answer.status_code == 201
    answer = both.ask("GET", f"{CREDITS}/users/ada", admin)
    assert '"credits":{"credits":3,' in answer.text


@pytest.mark.parametrize(
    "written",
    [
        *("0", "-1", "-0", "0.0000001", "1.0000001", "1000000000", "1e400", "1e-400", "1e30"),
        *("1.0000000000000000000000000000000001", f"1{'0' * 60}", f"0.{'0' * 500}1"),
        *('"1.0000001"', '"0"', '"-5"'),
    ],
)
def test_what_is_no_amount_of_credits_is_refused(
    house: House, admin: str, uid: str, written: str
) -> None:
    answer = house.ask("POST", grants(uid), admin, content=raw(written), headers=JSON)
    refused(answer, 400, "invalid_credits")
    assert house.get(f"{ENTRIES}?account_uid={uid}", admin)["entries"] == []


@pytest.mark.parametrize(
    "written",
    [
        *("NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", "0x10", "1_000", "", "1,5"),
        *("true", "null", "[1]", "{}", "[0, [1], 0]", '"NaN"', '"Infinity"', '"1_000"', '" 1"'),
        *('""', '"one"', '"1e3"', '"٣"', '"0x10"', f'"{"9" * 100}"', '"\\ud800"'),
    ],
)
def test_what_is_no_number_is_refused(house: House, admin: str, uid: str, written: str) -> None:
    answer = house.ask("POST", grants(uid), admin, content=raw(written), headers=JSON)
    refused(answer, 422, "invalid_request")
    assert house.get(f"{ENTRIES}?account_uid={uid}", admin)["entries"] == []


@pytest.mark.parametrize("body", [b"9" * 5_000, b"1e99999999999999999999", b"[" * 60_000, b"\xff"])
def test_what_python_itself_trips_over_is_refused(
    house: House, admin: str, uid: str, body: bytes
) -> None:
    for content in (body, b'{"credits": ' + body + b"}"):
        answer = house.ask("POST", grants(uid), admin, content=content, headers=JSON)
        refused(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"{}",
        b'{"credits": 1}',
        b'{"credits": 1, "key": "k"}',
        json.dumps(asked(key=None)).encode(),
        json.dumps(asked(key=1)).encode(),
        json.dumps(asked(reason="")).encode(),
        json.dumps(asked(reason="x" * 501)).encode(),
        json.dumps(asked(reason="a\0b")).encode(),
        json.dumps(asked(reason="\x1b[2J")).encode(),
        json.dumps(asked(reason="\ud800")).encode(),
        json.dumps(asked(kind="purchase")).encode(),
        json.dumps(asked(expires_at="soon")).encode(),
        json.dumps(asked(expires_at="2999-01-01T00:00:00")).encode(),
        json.dumps(asked(expires_at="9999-12-31T23:59:59-05:00")).encode(),
        json.dumps(asked(expires_at="0001-01-01T00:00:00+05:00")).encode(),
    ],
)
def test_a_body_that_does_not_say_what_is_needed_is_refused(both: House, body: bytes) -> None:
    admin = both.admin()
    both.post(ACCOUNTS, admin, {"uid": "ada"}, 201)
    answer = both.ask("POST", grants("ada"), admin, content=body, headers=JSON)
    refused(answer, 422, "invalid_request")
    assert both.credits_of("ada", admin) == 0


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "ü", "\0", "stripe:cs_test_1"])
def test_what_is_no_idempotency_key_is_refused(
    house: House, admin: str, uid: str, key: str
) -> None:
    refused(house.ask("POST", grants(uid), admin, json=asked(key=key)), 400, "invalid_key")


def test_fields_that_nobody_asked_for_change_nothing(house: House, admin: str, uid: str) -> None:
    sent = asked(actor="somebody else", balance=1_000, account_uid="other", id="1")
    entry = house.post(grants(uid), admin, sent, 201)["entry"]
    assert (entry["actor"], entry["balance"]) == ("operator", 1)


def test_a_grant_is_made_once_for_each_key(both: House) -> None:
    admin = both.admin()
    both.post(ACCOUNTS, admin, {"uid": "ada"}, 201)
    first = both.post(grants("ada"), admin, asked(), 201)
    assert not first["replayed"]
    again = both.post(grants("ada"), admin, asked(), 201)
    assert again == first | {"replayed": True}
    for other in (asked(credits=2), asked(reason="other"), asked(kind="adjustment")):
        refused(both.ask("POST", grants("ada"), admin, json=other), 409, "idempotency_key_reused")
    assert both.credits_of("ada", admin) == 1


def test_ten_grants_at_once_under_one_key_are_one(both: House) -> None:
    admin = both.admin()
    both.post(ACCOUNTS, admin, {"uid": "ada"}, 201)
    with ThreadPoolExecutor(10) as crowd:
        made = list(crowd.map(lambda _: both.post(grants("ada"), admin, asked(), 201), range(10)))
    assert len({one["entry"]["id"] for one in made}) == 1
    assert [one["replayed"] for one in made].count(False) == 1
    assert both.credits_of("ada", admin) == 1


def test_an_instant_written_in_another_zone_is_the_same(house: House, admin: str, uid: str) -> None:
    first = asked(expires_at="2999-01-01T12:00:00Z")
    other = asked(expires_at="2999-01-01T14:00:00+02:00")
    house.post(grants(uid), admin, first, 201)
    assert house.post(grants(uid), admin, other, 201)["replayed"]


def test_an_account_holds_so_much_and_no_more(house: House, admin: str, uid: str) -> None:
    house.post(grants(uid), admin, asked(credits=999_999_999), 201)
    answer = house.ask("POST", grants(uid), admin, json=asked(credits=1, key="more"))
    refused(answer, 409, "balance_too_large")


def test_a_grant_to_nobody_is_refused(house: House, admin: str) -> None:
    refused(house.ask("POST", grants("nobody"), admin, json=asked()), 404, "unknown_account")


def test_entries_come_newest_first_a_page_at_a_time(both: House) -> None:
    admin = both.admin()
    both.post(ACCOUNTS, admin, {"uid": "ada"}, 201)
    for n in range(1, 8):
        both.post(grants("ada"), admin, asked(credits=n, key=f"gift-{n}"), 201)
    seen: list[Json] = []
    before: int | None = None
    while not seen or before is not None:
        page = {"account_uid": "ada", "limit": 3} | ({"before": before} if before else {})
        told = both.get(ENTRIES, admin, params=page)
        seen += told["entries"]
        before = told["next_before"]
    assert [entry["number"] for entry in seen] == [7, 6, 5, 4, 3, 2, 1]
    assert [entry["balance"] for entry in seen] == [28, 21, 15, 10, 6, 3, 1]


@pytest.mark.parametrize("length", [LARGEST_BODY + 1, 2_000_000])
def test_a_body_is_bounded(house: House, admin: str, uid: str, length: int) -> None:
    for content in (b" " * length, (b" " * 1_000 for _ in range(length // 1_000 + 1))):
        answer = house.ask("POST", grants(uid), admin, content=content, headers=JSON)
        refused(answer, 413, "too_large")


def test_a_body_within_the_bound_is_read(house: House, admin: str, uid: str) -> None:
    sent = json.dumps(asked()).encode()
    whole = sent + b" " * (LARGEST_BODY - len(sent))
    answer = house.ask("POST", grants(uid), admin, content=whole, headers=JSON)
    assert answer.status_code == 201


@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_says_that_it_is_json(house: House, admin: str, uid: str, type_: str) -> None:
    sent = json.dumps(asked()).encode()
    answer = house.ask("POST", grants(uid), admin, content=sent, headers={"Content-Type": type_})
    refused(answer, 422)
