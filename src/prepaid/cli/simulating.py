"""`prepaid simulate`: a simulated Stripe by itself, to try the set-up and other programs on."""

from dataclasses import asdict, dataclass

from prepaid.cli.reports import plain
from prepaid.cli.servers import address_of, listen, run, serving, until_stopped
from prepaid.core.errors import Invalid
from prepaid.exact import encode
from prepaid.simulator import SimulatorConfig, create_app


@dataclass(frozen=True, slots=True)
class SimulatorOut:
    """Where the simulator is, in the settings of a service that should use it."""

    PREPAID_STRIPE_API_BASE: str
    DATALAYER_STRIPE_API_KEY: str
    DATALAYER_STRIPE_JS_API_KEY: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen on the command line; None is the simulator's own default."""

    database: str | None
    public_url: str | None
    webhook_secret: str | None
    retry_scale: float | None


def simulate(host: str, port: int, chosen: Chosen, *, as_json: bool) -> None:
    """Serves until it is told to stop.

    Raises:
        SettingsFault: something else listens there.
        Invalid: what was chosen can't be.
    """
    given = {name: value for name, value in asdict(chosen).items() if value is not None}
    try:
        config = SimulatorConfig(**given)
    except ValueError as error:
        raise Invalid(str(error)) from error
    run(_serve(config, host, port, as_json=as_json))


async def _serve(config: SimulatorConfig, host: str, port: int, *, as_json: bool) -> None:
    listening = listen(host, port)
    async with serving(create_app(config), listening) as server:
        told = SimulatorOut(address_of(listening), config.api_key, config.publishable_key)
        print(encode(told).decode() if as_json else _for_people(told), flush=True)
        await until_stopped([server])


def _for_people(told: SimulatorOut) -> str:
    settings = "\n".join(f"  {name}={plain(value)}" for name, value in asdict(told).items())
    return f"A simulated Stripe is running; no real money moves. Set:\n{settings}"
