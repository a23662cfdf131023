"""The commands about reservations, declared as those next door are."""

from typing import Annotated

import typer

from prepaid.cli.options import AccountUid, AsJson, Limit, group, operator

ReservationId = Annotated[str, typer.Argument(metavar="ID", help="As runtime-01a209e2-...")]
Rate = Annotated[str, typer.Option(metavar="CREDITS", help="How many it burns a second.")]

on_reservations = group("See what runs and burns credits, and end it by hand.")


@on_reservations.command("list")
def list_reservations(
    account: Annotated[
        str | None, typer.Argument(metavar="[ACCOUNT]", help="The account's uid; else everybody's.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="What has ended too.")] = False,
    limit: Limit = 100,
    before: Annotated[str | None, typer.Option(metavar="ID", help="Begin before this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what runs, the newest first."""
    from prepaid.cli import reports, reservations

    listed = reservations.listed(account, before, limit, everything=everything)
    reports.run(listed, as_json=as_json)


@on_reservations.command("show")
def show_reservation(reservation_id: ReservationId, as_json: AsJson = False) -> None:
    """Show a reservation."""
    from prepaid.cli import reports, reservations

    reports.run(reservations.shown(reservation_id), as_json=as_json)


@on_reservations.command("open")
def open_reservation(  # noqa: PLR0913, PLR0917 - options, each with its name
    account: AccountUid,
    resource: Annotated[str, typer.Option(help="What is to run.")],
    rate: Rate,
    actor: Annotated[
        str, typer.Option(default_factory=operator, help="Who opens it.", show_default="you")
    ],
    limit: Annotated[
        str | None,
        typer.Option(
            metavar="CREDITS", help="How many at most, reserved at once; else some at a time."
        ),
    ] = None,
    heartbeat: Annotated[
        int, typer.Option(metavar="SECONDS", help="How often its holder will say that it lives.")
    ] = 30,
    key: Annotated[
        str | None, typer.Option(help="Opens once, however often it is used; else made up.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Reserve credits for something that runs, or refuse."""
    from prepaid.cli import reports, reservations

    asked = reservations.Opening(account, resource, rate, limit, heartbeat, actor, key)
    reports.run(reservations.opened(asked), as_json=as_json)


@on_reservations.command("beat")
def beat(reservation_id: ReservationId, as_json: AsJson = False) -> None:
    """Say that its holder lives."""
    from prepaid.cli import reports, reservations

    reports.run(reservations.beaten(reservation_id), as_json=as_json)


@on_reservations.command("extend")
def extend(
    reservation_id: ReservationId,
    limit: Annotated[
        str | None,
        typer.Option(metavar="CREDITS", help="The new limit, in all; none if it has none."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Raise its limit; without a limit, reserve its next credits now."""
    from prepaid.cli import reports, reservations

    reports.run(reservations.extended(reservation_id, limit), as_json=as_json)


@on_reservations.command("rate")
def change_rate(reservation_id: ReservationId, rate: Rate, as_json: AsJson = False) -> None:
    """Let it burn at another rate from now on."""
    from prepaid.cli import reports, reservations

    reports.run(reservations.rated(reservation_id, rate), as_json=as_json)


@on_reservations.command("settle")
def settle(
    reservation_id: ReservationId,
    spent: Annotated[
        str | None,
        typer.Option("--credits", metavar="CREDITS", help="What it has cost, if it burns nothing."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """End it, and post what it has cost; or tell how it has ended."""
    from prepaid.cli import reports, reservations

    reports.run(reservations.settled(reservation_id, spent), as_json=as_json)


@on_reservations.command("release")
def release(reservation_id: ReservationId, as_json: AsJson = False) -> None:
    """End it at no cost."""
    from prepaid.cli import reports, reservations

    reports.run(reservations.released(reservation_id), as_json=as_json)
