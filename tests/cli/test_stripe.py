import json
import signal
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from local_stripe import LocalStripe, local_stripe
from operators import SCRIPT, Operator

URL = "https://credits.example.com/api/iam/stripe/v1/webhook"
SETUP = ("stripe", "setup", "--webhook-url", URL, "--package", "50=5.00usd", "--package", "100=9")


@pytest.fixture
def stripe() -> Iterator[LocalStripe]:
    with local_stripe() as running:
        yield running


@pytest.fixture
def seller(nobody: Operator, stripe: LocalStripe) -> Operator:
    """An operator who has a secret key of Stripe's, and nothing else yet."""
    nobody.settings["DATALAYER_STRIPE_API_KEY"] = stripe.config.api_key
    nobody.settings["PREPAID_STRIPE_API_BASE"] = stripe.url
    return nobody


def test_setup_gives_the_settings_and_doctor_finds_them_whole(
    seller: Operator, stripe: LocalStripe
) -> None:
    done = seller.does(*SETUP)
    assert [one["made"] for one in done["things"]] == [True] * 4
    seller.settings |= {name: value for name, value in done["settings"].items() if value}
    seller.settings["DATALAYER_STRIPE_JS_API_KEY"] = stripe.config.publishable_key
    seller.settings["PREPAID_PUBLIC_URL"] = "https://credits.example.com"
    seller.does("migrate")
    examined = seller.does("doctor")
    assert examined["healthy"]
    assert any("sells 100 credits for 9.00 usd" in one["what"] for one in examined["signs"])
    people = seller.runs("doctor")
    assert people.code == 0
    assert "The settings are complete and fit together." in people.out


def test_setup_changes_nothing_the_second_time_and_says_where_the_secret_is(
    seller: Operator,
) -> None:
    seller.does(*SETUP)
    again = seller.does(*SETUP)
    assert [one["made"] for one in again["things"]] == [False] * 4
    assert again["settings"]["DATALAYER_STRIPE_WEBHOOK_SECRET"] is None
    people = seller.runs(*SETUP).out
    assert "DATALAYER_STRIPE_WEBHOOK_SECRET=  # the endpoint existed: reveal it" in people
    assert seller.settings["DATALAYER_STRIPE_API_KEY"] not in people


def test_setup_without_an_address_says_where_the_secret_comes_from(seller: Operator) -> None:
    said = seller.runs("stripe", "setup", "--package", "50=5.00usd").out
    assert "DATALAYER_STRIPE_WEBHOOK_SECRET=  # as `stripe listen` tells it" in said


@pytest.mark.parametrize(
    ("package", "sentence"),
    [
        ("5=5.00jpy", "5.00 jpy has decimals, and this currency has none."),
        ("0=5.00", "A package has 1 to 999999999 credits, not 0."),
        ("fifty", "'fifty' is not a package: write credits=amount, as in 50=5.00usd."),
    ],
)
def test_a_package_that_cannot_be_sold_is_refused_and_nothing_made(
    seller: Operator, stripe: LocalStripe, package: str, sentence: str
) -> None:
    before = stripe.count("product")
    ended = seller.runs("stripe", "setup", "--webhook-url", URL, "--package", package)
    assert (ended.code, ended.err) == (1, sentence + "\n")
    assert stripe.count("product") == before


def test_setup_needs_a_key_of_stripes_alone(nobody: Operator) -> None:
    ended = nobody.runs(*SETUP)
    assert ended.code == 3
    assert ended.err.startswith("DATALAYER_STRIPE_API_KEY is not set")


def test_a_key_that_stripe_refuses_is_told_without_a_log(seller: Operator) -> None:
    seller.settings["DATALAYER_STRIPE_API_KEY"] = "sk_test_wrong"
    ended = seller.runs(*SETUP, "--json")
    assert (ended.code, ended.out) == (4, "")
    assert ended.problem["code"] == "stripe_unavailable"


def test_what_stripe_understood_and_refused_is_no_use_to_try_again(seller: Operator) -> None:
    assert seller.runs("stripe", "setup", "--webhook-url", "nowhere").code == 1


def test_doctor_tells_every_fault_and_exits_with_1(nobody: Operator) -> None:
    ended = nobody.runs("doctor", "--json")
    assert (ended.code, ended.err) == (1, "")
    faults = [one["what"] for one in ended.document["signs"] if one["level"] == "fault"]
    assert (len(faults), faults[-1]) == (5, "There is no database yet.")


def test_doctor_survives_settings_that_cannot_be_read(nobody: Operator) -> None:
    nobody.settings["PREPAID_DATABASE_URL"] = "what://is:this"
    nobody.settings["DATALAYER_STRIPE_WEBHOOK_SECRET"] = "no"
    assert "PREPAID_DATABASE_URL" in nobody.runs("doctor").out
    nobody.settings["PREPAID_PORT"] = "many"
    ended = nobody.runs("doctor", "--json")
    (sign,) = ended.document["signs"]
    assert (ended.code, sign["level"]) == (1, "fault")
    assert sign["what"].startswith("PREPAID_PORT")


def test_a_simulated_stripe_runs_by_itself_until_it_is_stopped(nobody: Operator) -> None:
    running = subprocess.Popen(
        [SCRIPT, "simulate", "--port", "0", "--json"],
        env=nobody.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        told = json.loads(running.stdout.readline())
        key = {"Authorization": f"Bearer {told['DATALAYER_STRIPE_API_KEY']}"}
        answer = httpx.get(f"{told['PREPAID_STRIPE_API_BASE']}/v1/prices", headers=key, timeout=20)
        assert answer.status_code == 200
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
    finally:
        running.kill()
        running.communicate()


def test_a_simulator_takes_no_secret_that_is_none(nobody: Operator) -> None:
    ended = nobody.runs("simulate", "--port", "0", "--webhook-secret", "guess")
    assert (ended.code, ended.err) == (1, "A webhook secret starts with whsec_\n")
