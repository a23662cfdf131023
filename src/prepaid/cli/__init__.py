"""The command line: `prepaid`."""

from typing import Annotated

import typer

app = typer.Typer(name="prepaid", no_args_is_help=True, add_completion=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen; else PREPAID_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Where to listen; else PREPAID_PORT.")] = None,
) -> None:
    """Serve the API and the page."""
    from prepaid.cli import serving  # noqa: PLC0415 - heavy

    serving.serve(host, port)


@app.command()
def demo() -> None:
    """Try all of it on this machine, with a simulated Stripe."""
    from prepaid.cli import serving  # noqa: PLC0415 - heavy

    serving.demo()


def main() -> None:
    """Run the command that was asked for."""
    app()
