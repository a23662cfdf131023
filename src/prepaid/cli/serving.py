"""`prepaid serve` and `prepaid demo`: the service, with Stripe or with a simulated one."""

import asyncio

from prepaid import log
from prepaid.cli.demo import Demo, open_demo
from prepaid.cli.servers import address_of, listen, serving, until_stopped
from prepaid.opening import open_database
from prepaid.settings import Settings, read_settings
from prepaid.storage.database import migrate
from prepaid.web.app import create_app


def serve(host: str | None = None, port: int | None = None) -> None:
    """Serves until it is told to stop.

    Raises:
        SettingsFault: it can't, and why.
        Refusal: the database does not answer.
    """
    given = {"PREPAID_HOST": host, "PREPAID_PORT": port}
    settings = read_settings(**{name: value for name, value in given.items() if value is not None})
    log.configure(settings.log_level)
    migrate(settings.database)
    asyncio.run(_serve(settings))


def demo() -> None:
    """Serves with a simulated Stripe and a demo user until it is told to stop.

    Raises:
        SettingsFault: it can't, and why.
    """
    asyncio.run(_demo())


async def _serve(settings: Settings) -> None:
    async with open_database(settings.database):
        pass  # a schema or guard that is wrong is told in words, before the server starts
    listening = listen(settings.host, settings.port)
    async with serving(create_app(settings), listening) as server:
        print(f"prepaid serves {address_of(listening)}", flush=True)
        await until_stopped([server])


async def _demo() -> None:
    async with open_demo() as running:
        print(_told(running), flush=True)
        await until_stopped(running.servers)


def _told(running: Demo) -> str:
    facts = running.facts
    return f"""
  prepaid is running, with a simulated Stripe: no real money moves.

    service         {facts.url}
    stripe          {facts.stripe_api_base} (simulator)
    user token      {facts.user_token}
    operator token  {facts.admin_token}

  Try it:
    export TOKEN={facts.user_token}
    curl {facts.url}/api/iam/stripe/v1/prices
    curl -H "Authorization: Bearer $TOKEN" {facts.url}/api/iam/v1/usage/credits

  Everything a script needs is in {running.file}.
  Ctrl-C stops it; started again, it finds its data again.
"""
