"""Operations that Stripe's own programs use and no SDK has: its payment page and its CLI."""

from typing import NotRequired

from typing_extensions import TypedDict

from prepaid.simulator.operations import Operation


class PaymentPageParams(TypedDict):
    """What a page is asked for with."""

    key: NotRequired[str]


class PaymentPageConfirmParams(TypedDict):
    """What a page is paid with."""

    payment_method: str
    expected_amount: NotRequired[int]
    key: NotRequired[str]
    return_url: NotRequired[str]


class EventRetryParams(TypedDict):
    """Where an event is sent again."""

    webhook_endpoint: NotRequired[str]
    account: NotRequired[str]


class ThinEventParams(TypedDict):
    """A thin event is retrieved by its id alone."""


class ListenParams(TypedDict):
    """What ``stripe listen`` says of itself."""

    device_name: NotRequired[str]
    websocket_features: NotRequired[list[str]]
    forward_to_url: NotRequired[str]
    forward_connect_to_url: NotRequired[str]
    forward_thin_to_url: NotRequired[str]
    forward_thin_connect_to_url: NotRequired[str]


PRIVATE: tuple[Operation, ...] = (
    Operation("pages.retrieve", "GET", "/v1/payment_pages/{id}", PaymentPageParams, ""),
    Operation(
        "pages.confirm", "POST", "/v1/payment_pages/{id}/confirm", PaymentPageConfirmParams, ""
    ),
    Operation("events.retry", "POST", "/v1/events/{id}/retry", EventRetryParams, "event"),
    Operation("events.thin", "GET", "/v2/core/events/{id}", ThinEventParams, ""),
    Operation("listen.open", "POST", "/v1/stripecli/sessions", ListenParams, ""),
)
