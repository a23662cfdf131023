import json
import os
from pathlib import Path

import pytest
import structlog

from prepaid.settings import (
    ALGORITHMS,
    SettingsFault,
    read_database_settings,
    read_settings,
)

TEST = {
    "DATALAYER_STRIPE_PRODUCT_ID": "prod_1",
    "DATALAYER_STRIPE_WEBHOOK_SECRET": "whsec_verysecret",
    "DATALAYER_STRIPE_JS_API_KEY": "pk_test_1",
    "DATALAYER_STRIPE_API_KEY": "sk_test_verysecret",
}
LIVE = TEST | {
    "DATALAYER_STRIPE_JS_API_KEY": "pk_live_1",
    "DATALAYER_STRIPE_API_KEY": "sk_live_verysecret",
}
JWT = {
    "DATALAYER_JWT_ISSUER": "https://id.example.com",
    "DATALAYER_JWT_SECRET": "a-shared-secret-of-32-characters",
}


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own environment says nothing of prepaid."""
    for name in os.environ:
        if name.startswith(("DATALAYER_", "PREPAID_")):
            monkeypatch.delenv(name)


def faults(**written: str) -> str:
    """What is said about settings with these beside the four that are needed."""
    with pytest.raises(SettingsFault) as fault:
        read_settings(**(TEST | written))
    return str(fault.value)


def test_four_variables_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TEST.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.stripe_api_key.get_secret_value() == "sk_test_verysecret"
    assert settings.webhook_secrets == ["whsec_verysecret"]
    assert not settings.livemode
    assert settings.url == "http://127.0.0.1:9700"
    assert settings.database.startswith("sqlite+aiosqlite:////")
    assert settings.database.endswith("/data/prepaid.db")
    assert settings.issuers == frozenset()


def test_without_any_every_one_that_is_needed_is_named() -> None:
    with pytest.raises(SettingsFault) as fault:
        read_settings()
    assert len(fault.value.faults) == 4
    for name in TEST:
        assert f"{name} is not set" in str(fault.value)


def test_all_faults_are_told_together() -> None:
    with pytest.raises(SettingsFault) as fault:
        read_settings(
            DATALAYER_STRIPE_API_KEY="pk_test_1",
            DATALAYER_STRIPE_WEBHOOK_SECRET="whsec_1, secret_2",
            DATALAYER_JWT_SECRET="short",
            DATALAYER_JWT_ALGORITHM="none",
            PREPAID_PORT="many",
            PREPAID_AUTOMATIC_TAX="perhaps",
            PREPAID_RETURN_ORIGINS="example.com",
            PREPAID_LOG_LEVEL="loud",
            PREPAID_DATABASE_URL="mysql://localhost/prepaid",
        )
    told = str(fault.value)
    for name in (
        "DATALAYER_STRIPE_API_KEY",
        "DATALAYER_STRIPE_JS_API_KEY",
        "DATALAYER_STRIPE_PRODUCT_ID",
        "DATALAYER_STRIPE_WEBHOOK_SECRET",
        "DATALAYER_JWT_ISSUER",
        "DATALAYER_JWT_SECRET",
        "DATALAYER_JWT_ALGORITHM",
        "PREPAID_PORT",
        "PREPAID_AUTOMATIC_TAX",
        "PREPAID_RETURN_ORIGINS",
        "PREPAID_LOG_LEVEL",
        "PREPAID_DATABASE_URL",
    ):
        assert name in told
    assert len(fault.value.faults) >= 12


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATALAYER_STRIPE_API_KEY", "pk_test_1"),
        ("DATALAYER_STRIPE_API_KEY", "sk_test_1 sk_test_2"),
        ("DATALAYER_STRIPE_JS_API_KEY", "sk_test_1"),
        ("DATALAYER_STRIPE_PRODUCT_ID", "price_1"),
        ("DATALAYER_STRIPE_WEBHOOK_SECRET", "sk_test_1"),
        ("DATALAYER_STRIPE_WEBHOOK_SECRET", "whsec_1,sk_test_1"),
    ],
)
def test_a_value_of_another_kind_is_a_fault_that_does_not_repeat_it(name: str, value: str) -> None:
    told = faults(**{name: value})
    assert f"{name} has no value of its kind" in told
    assert value not in told


@pytest.mark.parametrize("name", TEST)
@pytest.mark.parametrize("blank", ["", " ", "\n", ",", " , "])
def test_a_blank_is_not_a_value(name: str, blank: str) -> None:
    assert name in faults(**{name: blank})


@pytest.mark.parametrize("secret", ["sk_test_1", "rk_test_1"])
def test_test_keys_of_either_kind_move_no_real_money(secret: str) -> None:
    assert not read_settings(**TEST | {"DATALAYER_STRIPE_API_KEY": secret}).livemode


@pytest.mark.parametrize("secret", ["sk_live_1", "rk_live_1"])
def test_live_keys_of_either_kind_move_real_money(secret: str) -> None:
    assert read_settings(**LIVE | {"DATALAYER_STRIPE_API_KEY": secret}).livemode


@pytest.mark.parametrize(
    ("secret", "page"), [("sk_live_1", "pk_test_1"), ("rk_test_1", "pk_live_1")]
)
def test_a_live_key_beside_a_test_key_is_a_fault(secret: str, page: str) -> None:
    told = faults(DATALAYER_STRIPE_API_KEY=secret, DATALAYER_STRIPE_JS_API_KEY=page)
    assert "different modes" in told


def test_a_live_key_is_never_sent_elsewhere() -> None:
    with pytest.raises(SettingsFault, match="PREPAID_STRIPE_API_BASE"):
        read_settings(**LIVE, PREPAID_STRIPE_API_BASE="http://127.0.0.1:12111")


@pytest.mark.parametrize("name", ["PREPAID_RETURN_ORIGINS", "PREPAID_PUBLIC_URL"])
def test_with_a_live_key_buyers_are_sent_back_over_https_alone(name: str) -> None:
    with pytest.raises(SettingsFault, match="is not https"):
        read_settings(**LIVE, **{name: "http://example.com"})
    assert read_settings(**LIVE, **{name: "https://example.com"}).livemode


@pytest.mark.parametrize("around", ["{}\n", " {}", "{}\r\n", "\t{} "])
def test_blanks_and_line_ends_around_a_value_are_forgiven(
    around: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (TEST | JWT).items():
        monkeypatch.setenv(name, around.format(value))
    settings = read_settings()
    assert settings.stripe_api_key.get_secret_value() == "sk_test_verysecret"
    assert settings.webhook_secrets == ["whsec_verysecret"]
    assert settings.stripe_product_id == "prod_1"
    assert settings.stripe_js_api_key == "pk_test_1"
    assert settings.jwt_secret.get_secret_value() == JWT["DATALAYER_JWT_SECRET"]


@pytest.mark.parametrize(
    "written", ["whsec_new,whsec_old", "whsec_new whsec_old", " whsec_new ,\nwhsec_old,\n"]
)
def test_two_webhook_secrets_stand_while_one_is_rotated(written: str) -> None:
    settings = read_settings(**TEST | {"DATALAYER_STRIPE_WEBHOOK_SECRET": written})
    assert settings.webhook_secrets == ["whsec_new", "whsec_old"]


@pytest.mark.parametrize(
    "empty", ["PREPAID_PORT", "PREPAID_HOST", "PREPAID_AUTOMATIC_TAX", "PREPAID_LOG_LEVEL"]
)
def test_a_variable_that_is_empty_is_not_set(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (TEST | {empty: ""}).items():
        monkeypatch.setenv(name, value)
    assert read_settings() == read_settings(**TEST)


@pytest.mark.parametrize("route", ["checkout", "/checkout", "//checkout"])
def test_the_checkout_route_begins_with_one_slash(route: str) -> None:
    settings = read_settings(**TEST, DATALAYER_STRIPE_CHECKOUT_ROUTE=route)
    assert settings.stripe_checkout_route == "/checkout"


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ({"DATALAYER_JWT_ISSUER": ""}, "DATALAYER_JWT_ISSUER is not set"),
        ({"DATALAYER_JWT_SECRET": "x" * 31}, "shorter than 32"),
        ({"DATALAYER_JWT_SECRET": ""}, "DATALAYER_JWT_SECRET and DATALAYER_JWT_JWKS_URL are not"),
        ({"DATALAYER_JWT_ALGORITHM": "none"}, "DATALAYER_JWT_ALGORITHM is 'none'"),
        ({"DATALAYER_JWT_ALGORITHM": "hs256"}, "DATALAYER_JWT_ALGORITHM is 'hs256'"),
        ({"DATALAYER_JWT_ALGORITHM": "RS256"}, "DATALAYER_JWT_JWKS_URL is not set"),
        (
            {"DATALAYER_JWT_SECRET": "", "DATALAYER_JWT_JWKS_URL": "https://id.example.com/keys"},
            "DATALAYER_JWT_SECRET is not set",
        ),
        ({"DATALAYER_JWT_JWKS_URL": "id.example.com/keys"}, "DATALAYER_JWT_JWKS_URL is"),
    ],
)
def test_platform_tokens_need_all_that_checks_them(written: dict[str, str], fault: str) -> None:
    assert fault in faults(**JWT | written)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_has_its_key(algorithm: str) -> None:
    keys = {"DATALAYER_JWT_JWKS_URL": "https://id.example.com/keys"}
    written = JWT if algorithm.startswith("HS") else {**JWT, **keys, "DATALAYER_JWT_SECRET": ""}
    assert read_settings(**TEST, **written, DATALAYER_JWT_ALGORITHM=algorithm).issuers


def test_issuers_may_be_several() -> None:
    written = JWT | {"DATALAYER_JWT_ALLOWED_ISSUERS": "https://a.example, https://b.example"}
    assert read_settings(**TEST, **written).issuers == {
        "https://id.example.com",
        "https://a.example",
        "https://b.example",
    }


@pytest.mark.parametrize(
    "written",
    [
        "example.com",
        "*",
        "null",
        "https://",
        "https://example.com/",
        "https://example.com/path",
        "https://example.com?x",
        "https://EXAMPLE.com",
        "https://user@example.com",
        "ftp://example.com",
        "javascript:alert(1)",
        "http://[",
        "http://example.com:port",
        "http://example.com:99999",
    ],
)
def test_what_is_no_origin_is_a_fault(written: str) -> None:
    assert repr(written) in faults(PREPAID_RETURN_ORIGINS=f"https://fine.example {written}")


def test_buyers_are_sent_back_to_the_service_itself_and_where_the_operator_allows() -> None:
    settings = read_settings(
        **TEST,
        PREPAID_PUBLIC_URL="https://Credits.example.com/some/path/",
        PREPAID_RETURN_ORIGINS="https://a.example,http://localhost:8888",
    )
    assert settings.url == "https://Credits.example.com/some/path"
    assert settings.origins == {
        "https://credits.example.com",
        "https://a.example",
        "http://localhost:8888",
    }


def test_an_origin_is_as_browsers_send_it() -> None:
    """Without the port that goes without saying."""
    written = "https://a.example:443,http://b.example:80,https://c.example:80"
    settings = read_settings(
        **TEST, PREPAID_PUBLIC_URL="https://D.example:443/", PREPAID_RETURN_ORIGINS=written
    )
    assert settings.origins == {
        *("https://a.example", "http://b.example", "https://c.example:80", "https://d.example"),
    }


def test_a_host_of_colons_stands_in_brackets() -> None:
    settings = read_settings(**TEST, PREPAID_HOST="::1")
    assert settings.url == "http://[::1]:9700"
    assert "http://[::1]:9700" in settings.origins


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_at_ones_own_machine_either_name_will_do(host: str) -> None:
    settings = read_settings(**TEST, PREPAID_HOST=host)
    assert settings.origins == {"http://127.0.0.1:9700", "http://localhost:9700"}


def test_a_host_that_others_reach_has_one_name() -> None:
    assert read_settings(**TEST, PREPAID_HOST="10.0.0.1").origins == {"http://10.0.0.1:9700"}


@pytest.mark.parametrize("written", ["example.com", "http://[", "https://", "//example.com"])
@pytest.mark.parametrize(
    "name", ["PREPAID_PUBLIC_URL", "PREPAID_STRIPE_API_BASE", "DATALAYER_JWT_JWKS_URL"]
)
def test_what_is_no_address_is_a_fault(name: str, written: str) -> None:
    assert name in faults(**{name: written})


@pytest.mark.parametrize(
    ("written", "opened"),
    [
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql+psycopg2://u:p@h:5/d", "postgresql+asyncpg://u:p@h:5/d"),
        ("sqlite:////var/x.db", "sqlite+aiosqlite:////var/x.db"),
    ],
)
def test_a_database_is_opened_by_our_driver(written: str, opened: str) -> None:
    assert read_settings(**TEST, PREPAID_DATABASE_URL=written).database == opened


@pytest.mark.parametrize("written", ["mysql://u:p@h/d", "nonsense", "postgres", "oracle://x"])
def test_another_database_is_a_fault(written: str) -> None:
    assert "PREPAID_DATABASE_URL is" in faults(PREPAID_DATABASE_URL=written)


def test_a_database_that_cannot_be_read_is_a_fault_without_its_password() -> None:
    assert "hunter2" not in faults(PREPAID_DATABASE_URL="mysql://u:hunter2@h/d")
    assert "hunter2" not in faults(PREPAID_DATABASE_URL="://u:hunter2@h/d")


@pytest.mark.parametrize("port", ["-1", "65536", "http", "9700.5"])
def test_a_port_is_a_port(port: str) -> None:
    assert "PREPAID_PORT" in faults(PREPAID_PORT=port)


def test_a_command_of_the_database_alone_needs_nothing_of_stripe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PREPAID_DATA", str(tmp_path))
    assert str(tmp_path) in read_database_settings().database
    monkeypatch.setenv("PREPAID_DATABASE_URL", "mysql://h/d")
    with pytest.raises(SettingsFault, match="PREPAID_DATABASE_URL"):
        read_database_settings()


def test_secrets_are_in_no_text_of_the_settings() -> None:
    written = TEST | JWT | {"PREPAID_DATABASE_URL": "postgresql://u:verysecret@h/d"}
    settings = read_settings(**written)
    with structlog.testing.capture_logs() as captured:
        structlog.get_logger().info("settings", settings=settings)
    texts = [
        repr(settings),
        str(settings),
        f"{settings}",
        settings.model_dump_json(),
        json.dumps(settings.model_dump(mode="json")),
        str(captured),
        str(structlog.processors.JSONRenderer()(None, "info", {**captured[0]})),
        str(structlog.dev.ConsoleRenderer()(None, "info", {**captured[0]})),
    ]
    for text in texts:
        assert "verysecret" not in text
        assert JWT["DATALAYER_JWT_SECRET"] not in text
        assert "prod_1" in text
