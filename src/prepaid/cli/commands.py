"""The commands, declared: their names, arguments and options. What each does is next door.

What a command needs is imported inside it, so that `prepaid --help` answers at once.
"""

import gc
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import typer

from prepaid.cli import exits
from prepaid.cli.options import AccountUid, AsJson, Limit, group, instant, operator
from prepaid.cli.reservation_commands import on_reservations
from prepaid.core.entries import Kind

app = group("Sell prepaid credits through Stripe, and let compute spend them.", exits.EPILOG)
on_accounts = group("Make and list accounts.")
on_keys = group("Make, list and revoke API keys.")
on_stripe = group("Set Stripe up.")
for name, inner in (
    ("accounts", on_accounts),
    ("reservations", on_reservations),
    ("keys", on_keys),
    ("stripe", on_stripe),
):
    app.add_typer(inner, name=name)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen; else PREPAID_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Where to listen; else PREPAID_PORT.")] = None,
) -> None:
    """Serve the API."""
    gc.disable()  # until it serves: what is loaded stays (serving.py)
    from prepaid.cli import serving

    serving.serve(host, port)


@app.command()
def demo() -> None:
    """Try all of it on this machine, with a simulated Stripe."""
    from prepaid.cli.demo import demo as show

    show()


@app.command()
def simulate(  # noqa: PLR0913, PLR0917 - options, each with its name
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes a free port.")] = 12111,
    database: Annotated[
        str | None, typer.Option(help="The file to remember in; else nothing stays.")
    ] = None,
    public_url: Annotated[str | None, typer.Option(help="Where browsers find it.")] = None,
    webhook_secret: Annotated[
        str | None, typer.Option(help="The secret of the first webhook endpoint: whsec_...")
    ] = None,
    retry_scale: Annotated[
        float | None, typer.Option(min=0, help="Stretches the pauses between deliveries.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a simulated Stripe by itself."""
    from prepaid.cli import simulating

    chosen = simulating.Chosen(database, public_url, webhook_secret, retry_scale)
    simulating.simulate(host, port, chosen, as_json=as_json)


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the database to this version's schema."""
    from prepaid.cli import migrating, reports

    reports.run(migrating.migrated(), as_json=as_json)


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Fold every entry again, and compare every balance."""
    from prepaid.cli import reports, verifying

    reports.run(verifying.verified(), as_json=as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at the whole set-up for what is wrong."""
    from prepaid.cli import examining, reports

    reports.run(examining.examined(), as_json=as_json)


@app.command("totals")
def tell_totals(as_json: AsJson = False) -> None:
    """Tell what was sold and given to everybody, and what became of it."""
    from prepaid.cli import reports, totals

    reports.run(totals.told(), as_json=as_json)


@app.command()
def top(
    once: Annotated[bool, typer.Option("--once", help="Draw one picture, and end.")] = False,
    account: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Look at this account alone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Watch who burns credits, and on what; q ends it. Into a file or a pipe it draws once."""
    from prepaid.cli import reports
    from prepaid.cli import top as looking

    live = not once and not as_json and looking.has_screen()
    reports.run(looking.watched(account) if live else looking.pictured(account), as_json=as_json)


@app.command()
def balance(account: AccountUid, as_json: AsJson = False) -> None:
    """Tell what an account has."""
    from prepaid.cli import balances, reports

    reports.run(balances.balance(account), as_json=as_json)


@app.command()
def entries(  # noqa: PLR0913, PLR0917 - options, each with its name
    account: AccountUid,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="How many at most; else 100, and all as CSV."),
    ] = None,
    before: Annotated[
        int | None, typer.Option(min=1, max=2**63 - 1, help="Begin before this number.")
    ] = None,
    kind: Annotated[
        list[Kind] | None, typer.Option(help="Only of this kind; may be repeated.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=instant, metavar="INSTANT", help="Only at this instant or later."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(parser=instant, metavar="INSTANT", help="Only before this instant."),
    ] = None,
    resource: Annotated[str | None, typer.Option(help="Only what was spent on it.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """List how a balance came about, newest first."""
    from prepaid.cli import history, reports
    from prepaid.core.filters import Filter

    if as_csv and as_json:
        raise typer.BadParameter("choose one of --csv and --json")
    wanted = Filter(frozenset(kind or ()), since, until, resource)
    told = history.written if as_csv else history.listed
    reports.run(told(account, wanted, before, limit), as_json=as_json)


@app.command("usage")
def list_usages(  # noqa: PLR0913, PLR0917 - options, each with its name
    account: AccountUid,
    limit: Limit = 100,
    before: Annotated[
        str | None, typer.Option(metavar="PAGE", help="Begin where the last page ended.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=instant, metavar="INSTANT", help="Only begun then or later."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(parser=instant, metavar="INSTANT", help="Only begun before this instant."),
    ] = None,
    resource_type: Annotated[
        str | None, typer.Option("--type", help="Only of resources of this type.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what ran and what was charged, with what each has cost, newest first."""
    from prepaid.cli import reports, usages
    from prepaid.core.filters import Filter

    wanted = Filter(since=since, until=until, resource_type=resource_type)
    reports.run(usages.listed(account, wanted, before, limit), as_json=as_json)


@app.command()
def grant(  # noqa: PLR0913, PLR0917 - options, each with its name
    account: AccountUid,
    amount: Annotated[
        str, typer.Argument(metavar="CREDITS", help="How many, with six decimals at most.")
    ],
    reason: Annotated[str, typer.Option(help="Why; it stays in the books.")],
    actor: Annotated[
        str, typer.Option(default_factory=operator, help="Who grants.", show_default="you")
    ],
    kind: Annotated[
        Literal["promotion", "adjustment"], typer.Option(help="What they are.")
    ] = "promotion",
    key: Annotated[
        str | None, typer.Option(help="Grants once, however often it is used; else made up.")
    ] = None,
    expires_at: Annotated[
        datetime | None,
        typer.Option(parser=instant, metavar="INSTANT", help="As 2027-01-31T00:00:00Z."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Grant credits to an account."""
    from prepaid.cli import grants, reports

    asked = grants.Giving(account, amount, kind, reason, actor, key, expires_at)
    reports.run(grants.given(asked), as_json=as_json)


@app.command("grants")
def list_grants(
    account: AccountUid,
    everything: Annotated[
        bool, typer.Option("--all", help="Those of which nothing is left too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List where what an account has came from, in the order in which it is spent."""
    from prepaid.cli import grants, reports

    reports.run(grants.listed(account, everything=everything), as_json=as_json)


@app.command()
def reverse(  # noqa: PLR0913, PLR0917 - options, each with its name
    account: AccountUid,
    grant_id: Annotated[UUID, typer.Argument(metavar="GRANT_ID", help="The grant's id.")],
    reason: Annotated[str, typer.Option(help="Why; it stays in the books.")],
    actor: Annotated[
        str, typer.Option(default_factory=operator, help="Who takes them back.", show_default="you")
    ],
    amount: Annotated[
        str | None,
        typer.Option(
            "--credits", metavar="CREDITS", help="How many; else all that is left and not reserved."
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Takes once, however often it is used; else made up.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take credits back from a grant."""
    from prepaid.cli import grants, reports

    asked = grants.Taking(account, grant_id, amount, reason, actor, key)
    reports.run(grants.taken_back(asked), as_json=as_json)


@app.command()
def charge(  # noqa: PLR0913, PLR0917 - options, each with its name
    account: AccountUid,
    amount: Annotated[
        str, typer.Argument(metavar="CREDITS", help="How many, with six decimals at most.")
    ],
    actor: Annotated[
        str, typer.Option(default_factory=operator, help="Who charges.", show_default="you")
    ],
    resource: Annotated[str, typer.Option(help="What they are spent on.")] = "",
    reason: Annotated[str, typer.Option(help="Why; it stays in the books.")] = "",
    key: Annotated[
        str | None, typer.Option(help="Charges once, however often it is used; else made up.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Spend credits of an account, or refuse."""
    from prepaid.cli import reports, spending

    asked = spending.Asked(account, amount, resource, reason, actor, key)
    reports.run(spending.charged(asked), as_json=as_json)


@app.command()
def sweep(as_json: AsJson = False) -> None:
    """Write down what has expired, run out or been lost; a running service does so itself."""
    from prepaid.cli import reports, spending

    reports.run(spending.swept(), as_json=as_json)


@on_accounts.command("list")
def list_accounts(
    after: Annotated[str, typer.Option(help="Begin after this uid.")] = "",
    limit: Limit = 100,
    begins: Annotated[
        str,
        typer.Option("--search", help="Only whose uid, handle, e-mail or name begins so."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List accounts by uid."""
    from prepaid.cli import accounts, reports

    reports.run(accounts.listed(after, limit, begins), as_json=as_json)


@on_accounts.command("create")
def create_account(account: AccountUid, as_json: AsJson = False) -> None:
    """Make an account, or find it."""
    from prepaid.cli import accounts, reports

    reports.run(accounts.created(account), as_json=as_json)


@on_accounts.command("show")
def show_account(account: AccountUid, as_json: AsJson = False) -> None:
    """Show an account."""
    from prepaid.cli import accounts, reports

    reports.run(accounts.shown(account), as_json=as_json)


@on_keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        Literal["user", "service", "admin"], typer.Option(help="What its holder may do.")
    ],
    account: Annotated[
        str | None, typer.Option(help="Whom it acts for; for scope user alone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key. Its secret is told once."""
    from prepaid.cli import keys, reports

    reports.run(keys.created(name, scope, account), as_json=as_json)


@on_keys.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List all API keys, without their secrets."""
    from prepaid.cli import keys, reports

    reports.run(keys.listed(), as_json=as_json)


@on_keys.command("revoke")
def revoke_key(
    key_id: Annotated[UUID, typer.Argument(metavar="ID", help="The key's id.")],
    as_json: AsJson = False,
) -> None:
    """End an API key; services that run notice within a second."""
    from prepaid.cli import keys, reports

    reports.run(keys.revoked(key_id), as_json=as_json)


@on_stripe.command("setup")
def set_up_stripe(  # noqa: PLR0913, PLR0917 - options, each with its name
    webhook_url: Annotated[
        str | None,
        typer.Option(help="Where Stripe reaches the service: https://.../webhook; else none."),
    ] = None,
    package: Annotated[
        list[str] | None,
        typer.Option(help="What to sell, as 50=5.00usd; several, each with --package."),
    ] = None,
    currency: Annotated[str, typer.Option(help="The currency of packages that name none.")] = "usd",
    product_name: Annotated[
        str, typer.Option(help="What buyers see; only for a new product.")
    ] = "Credits",
    tax_behavior: Annotated[
        Literal["exclusive", "inclusive", "unspecified"],
        typer.Option(help="Whether taxes come on top of new prices."),
    ] = "unspecified",
    as_json: AsJson = False,
) -> None:
    """Make the product, its packages and the webhook endpoint, where they are missing."""
    from prepaid.cli import reports, stripe_setup

    asked = stripe_setup.Asked(package or [], currency, webhook_url, product_name, tax_behavior)
    reports.run(stripe_setup.set_up(asked), as_json=as_json)


@on_stripe.callback()
def _on_stripe() -> None:
    """Set Stripe up."""
