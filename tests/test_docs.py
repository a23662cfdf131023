"""What the README and the other pages say is so: their commands run, their tables are whole."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from local_service import SESSIONS, running, token
from local_stripe import LocalStripe, local_stripe
from prepaid.cli.commands import app
from prepaid.cli.exits import Exit
from prepaid.core import reservations
from prepaid.flows import checkout, keys
from prepaid.payments import events
from prepaid.payments.setup import API_VERSION
from prepaid.settings import Settings, read_settings
from prepaid.web.app import create_app
from programs import PREPAID, demo, ended, environment

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FIRST_HOUR = ROOT / "docs/how-to/first-hour-with-stripe.md"
SIMULATOR = ROOT / "docs/how-to/develop-against-the-simulator.md"
OPERATE = ROOT / "docs/how-to/operate.md"
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    ROOT / "src/prepaid/simulator/README.md",
]
OF_THE_TESTS = {"PREPAID_TEST_WITHOUT_POSTGRES", "PREPAID_TEST_POSTGRES_URL"}
MACHINE = re.compile(r"(?<![\w./])/(home|tmp|root|work|opt|mnt|Users)/|\.\./shared")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pytest.fixture
def stripe() -> Iterator[LocalStripe]:
    with local_stripe() as one:
        yield one


def test_the_five_minutes_work_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    with ended([demo(tmp_path / "data").start()]):
        said = run("\n".join(blocks(README, "bash")), tmp_path)
    assert '"credits":650' in said
    assert '"credits":{"credits":50,' in said
    assert '"burning_rate_per_hour":1800,' in said
    assert '"state":"settled"' in said
    assert "50 credits bought" in said
    assert "every balance follows" in said


def test_the_page_of_the_first_hour_opens_a_checkout(
    migrated_sqlite: Path, stripe: LocalStripe, tmp_path: Path
) -> None:
    if shutil.which("node") is None:
        pytest.skip("the page of the first hour: node is not on this machine")
    (page,) = blocks(FIRST_HOUR, "html")
    (script,) = re.findall(r'<script type="module">\n(.*?)</script>', page, re.DOTALL)
    stripe.package()
    database = shutil.copy(migrated_sqlite, tmp_path / "prepaid.db")
    allowed = {"PREPAID_RETURN_ORIGINS": "http://localhost:8000"}
    with running(f"sqlite:///{database}", stripe, **allowed) as house:
        assert "http://127.0.0.1:9700" in script
        script = script.replace("http://127.0.0.1:9700", house.url)
        file = tmp_path / "page.mjs"
        file.write_text(f"{BROWSER}{script}\nfor (const one of pressed) await one.onclick();\n")
        said = run(f"node {file} {token('ada')}", tmp_path).splitlines()
    assert said[0] == "You have 0 credits."
    key, secret = said[1].split()
    assert key == stripe.config.publishable_key
    assert secret.startswith("cs_test_")


BROWSER = """
const pressed = [];
globalThis.sessionStorage = { token: process.argv[2] };
globalThis.location = { origin: "http://localhost:8000", pathname: "/buy.html" };
globalThis.document = {
  querySelector: () => ({
    set textContent(said) { console.log(said); },
    append: (button) => pressed.push(button),
  }),
  createElement: () => ({}),
};
globalThis.Stripe = (key) => ({
  createEmbeddedCheckoutPage: async ({ fetchClientSecret }) => {
    console.log(key, await fetchClientSecret());
    return { mount() {}, destroy() {} };
  },
});
"""


def test_what_is_asked_of_the_simulator_is_answered(
    migrated_sqlite: Path, stripe: LocalStripe, tmp_path: Path
) -> None:
    database = shutil.copy(migrated_sqlite, tmp_path / "prepaid.db")
    with running(f"sqlite:///{database}", stripe) as house:
        session = house.open(token("ada"), stripe.package())["session_id"]
    asked = [block for block in blocks(SIMULATOR, "") if block.startswith("curl")]
    assert len(asked) == 5
    for block in asked:
        command = block.replace("curl", "curl -fsS", 1).replace(
            "http://127.0.0.1:12111", stripe.url
        )
        assert json.loads(run(command.replace("cs_test_...", session), tmp_path))


def test_a_backup_made_as_it_is_written_is_whole(migrated_sqlite: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_sqlite, tmp_path / "data/prepaid.db")
    run("\n".join(blocks(OPERATE, "bash")), tmp_path)
    url = f"sqlite:///{tmp_path / 'backup.db'}"
    verified = subprocess.run(
        [PREPAID, "verify"], env=environment(PREPAID_DATABASE_URL=url), check=False
    )
    assert verified.returncode == 0


def test_the_first_hour_names_the_events_and_the_version_that_are_wanted() -> None:
    assert re.findall(r"^- `(checkout\.session\.\w+)`", FIRST_HOUR.read_text(), re.MULTILINE) == [
        *events.TYPES
    ]
    assert f"`{API_VERSION}`" in FIRST_HOUR.read_text()


def test_every_setting_is_in_the_table_with_its_default() -> None:
    told = {name.strip("`"): default for name, default, _ in rows("Configuration")}
    fields = {str(field.alias): field for field in Settings.model_fields.values()}
    assert told.keys() == fields.keys()
    for name, field in fields.items():
        plain = field.default if isinstance(field.default, str | int | Path) else ""
        if plain not in {"", None}:
            assert told[name] == f"`{str(plain).lower() if plain is False else plain}`"
        else:
            assert not told[name].startswith("`")


@pages
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"\b(?:PREPAID|DATALAYER)(?:_[A-Z]+)+(?![A-Z_])", page.read_text()))
    assert named - OF_THE_TESTS <= {field.alias for field in Settings.model_fields.values()}


def test_every_route_is_in_the_table() -> None:
    told = {
        (method, path)
        for method, paths, _, _ in rows("The API")
        for path in re.findall(r"`([^`]+)`", paths)
    }
    document = ("GET", "/api/iam/v1/openapi.json")
    assert told == {*routes(), document}


@pages
def test_every_route_that_a_page_names_exists(page: Path) -> None:
    known = {re.sub(r"\{\w+\}", "{}", path) for _, path in routes()}
    known |= {"/api/iam/v1/openapi.json", "/api/iam/v1usage/credits"}
    for named in re.findall(r"/api/iam/[\w/{}.-]*[\w}]", page.read_text()):
        path = re.sub(r"\{\w+\}|(?<=session/)cs_\w*", "{}", named)
        assert path in known, named


def test_every_command_is_in_the_table() -> None:
    assert {name.strip("`") for name, _ in rows("The command line", 2)} == {
        *map(" ".join, commands()),
    }


def test_every_exit_code_is_in_the_table() -> None:
    assert [int(code) for code, _ in rows("The command line", 2, "exit code")] == [*Exit]


def test_each_command_but_two_answers_in_json() -> None:
    silent = {" ".join(words) for words, one in commands().items() if not takes_json(one)}
    assert silent == {"prepaid serve", "prepaid demo"}


def test_what_an_account_may_have_is_told() -> None:
    told = " ".join(README.read_text().split())
    assert f"{checkout.MOST_OPEN} open checkouts, {keys.MOST_KEYS} live API keys" in told
    assert f"{reservations.MOST_OPEN:,} open reservations" in told
    assert f"{reservations.MOST_OPEN_BY_USER} that users open themselves" in told


@pages
def test_every_command_line_on_a_page_can_be_written_so(page: Path) -> None:
    for line in lines(page):
        if line.startswith((".venv/bin/prepaid ", "prepaid ")):
            words = ["prepaid", *shlex.split(line)[1:]]
            known = next(name for name in commands() if [*name] == words[: len(name)])
            commands()[known].make_context(" ".join(known), words[len(known) :])


@pages
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`((?!/)[\w.-]+/[\w./-]*)`", page.read_text())
    for name in (name for name in named if re.search(r"(/|\.(py|md|json|js))$", name)):
        places = (ROOT, ROOT / "src/prepaid", page.parent)
        found = any((place / name).exists() for place in places)
        assert found or name == "data/demo.json", name


@pages
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not link.startswith("https://"):
            place, _, heading = link.partition("#")
            target = (page.parent / place).resolve() if place else page
            assert target.exists(), link
            assert not heading or heading in headings(target), link


@pages
def test_no_page_names_a_folder_of_some_machine(page: Path) -> None:
    assert MACHINE.search(page.read_text()) is None


def test_every_line_of_the_log_that_is_explained_is_written_somewhere() -> None:
    sources = "".join(file.read_text() for file in (ROOT / "src/prepaid").rglob("*.py"))
    section = OPERATE.read_text().partition("## Logs")[2].partition("\n## ")[0]
    named = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)[2:]
    good = section.partition("And the good ones: ")[2].partition(".")[0]
    for name in re.findall(r"`(\w+)`", " ".join([*named, good])):
        assert f'"{name}"' in sources, name


def test_a_buyer_comes_back_to_the_page_of_the_first_hour(
    migrated_sqlite: Path, stripe: LocalStripe, tmp_path: Path
) -> None:
    database = shutil.copy(migrated_sqlite, tmp_path / "prepaid.db")
    origin = "http://localhost:8000"
    with running(f"sqlite:///{database}", stripe, PREPAID_RETURN_ORIGINS=origin) as house:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        headers = asked | {"Access-Control-Request-Headers": "authorization,content-type"}
        answer = httpx.options(house.url + SESSIONS, headers=headers)
        assert answer.headers["access-control-allow-origin"] == origin
        assert house.open(token("ada"), stripe.package(), f"{origin}/buy.html")


def run(script: str, folder: Path) -> str:
    """What a shell says that runs this, in a folder."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment(PATH=os.environ["PATH"]),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of code on a page that are in this language; an empty one is none."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [code for of, code in found if of == language]


def lines(page: Path) -> list[str]:
    """The lines that a reader is to type."""
    typed = "".join(blocks(page, "") + blocks(page, "bash")).replace("\\\n", "")
    return [line.partition("  # ")[0].strip() for line in typed.splitlines()]


def rows(section: str, width: int | None = None, first: str = "") -> list[list[str]]:
    """The rows of a section's table in the README: the first one, or the one that begins so."""
    text = README.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    table = next(one for one in tables if one.startswith(f"| {first}"))
    found = [
        [cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]
    ]
    assert width is None or {len(row) for row in found} == {width}
    return found


@cache
def routes() -> frozenset[tuple[str, str]]:
    """Every route that the API documents."""
    settings = read_settings(
        DATALAYER_STRIPE_API_KEY="sk_test_1",
        DATALAYER_STRIPE_JS_API_KEY="pk_test_1",
        DATALAYER_STRIPE_PRODUCT_ID="prod_1",
        DATALAYER_STRIPE_WEBHOOK_SECRET="whsec_1",
    )
    paths = create_app(settings).openapi()["paths"]
    return frozenset(
        (method.upper(), path) for path, methods in paths.items() for method in methods
    )


@cache
def commands() -> dict[tuple[str, ...], TyperCommand]:
    """Every command, by the words that call it."""

    def under(one: object, *words: str) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
        if isinstance(one, TyperGroup):
            for name, inner in one.commands.items():
                yield from under(inner, *words, name)
        else:
            assert isinstance(one, TyperCommand)
            yield words, one

    return dict(under(get_command(app), "prepaid"))


def takes_json(command: TyperCommand) -> bool:
    return any("--json" in one.opts for one in command.params)


def headings(page: Path) -> set[str]:
    """The names under which a page's headings are linked."""
    written = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in written}
