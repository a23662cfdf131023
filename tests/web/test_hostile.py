"""What strangers send, and what Stripe tells of other programs: never a fault of ours."""

import json
from base64 import urlsafe_b64encode

import pytest

from local_service import CREDITS, House, refused
from local_stripe import Json


def encoded(told: object) -> str:
    return urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("crit", [5, True, [{}], [[]], "b64"])
def test_a_strange_header_of_a_token_is_a_refusal(house: House, crit: object) -> None:
    """Anybody can write a header: it is read before the signature."""
    header = encoded({"alg": "HS256", "crit": crit})
    answer = house.ask("GET", CREDITS, f"{header}.{encoded({})}.c2lnbmF0dXJl")
    refused(answer, 401, "unauthenticated")


@pytest.mark.parametrize(
    "customer", ["jane.doe@example.com", "user 17", {"id": "jane@example.com", "deleted": True}]
)
def test_another_program_may_name_its_customers_as_it_likes(
    house: House, package: str, user: str, customer: object
) -> None:
    """A customer's id can be chosen at Stripe. Refusing such events would end in Stripe's
    disabling the endpoint, and with it our own purchases."""
    event: Json = house.paid(user, package)
    event["id"] = "evt_of_another_program"
    event["data"]["object"] |= {"id": "cs_test_theirs", "customer": customer, "metadata": {}}
    assert house.verdict(event) == "ignored"
