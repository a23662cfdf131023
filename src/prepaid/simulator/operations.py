"""Every operation of Stripe's API that the simulator knows: route, parameters, and what it answers.

The parameters are the SDK's TypedDicts. ``api.py`` binds each name to the function that does it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from stripe import params
from stripe.params import checkout


@dataclass(frozen=True)
class Operation:
    """One route. ``answers`` is the ``object`` of what it gives; a list is ``list``."""

    name: str
    method: str
    path: str
    params: type
    answers: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as an expression, ``{id}`` being one segment."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))


_TABLE: tuple[tuple[str, str, str, type, str], ...] = (
    ("account.retrieve", "GET", "/v1/account", params.AccountRetrieveParams, "account"),
    (
        "balance_transactions.list",
        "GET",
        "/v1/balance_transactions",
        params.BalanceTransactionListParams,
        "list",
    ),
    (
        "balance_transactions.retrieve",
        "GET",
        "/v1/balance_transactions/{id}",
        params.BalanceTransactionRetrieveParams,
        "balance_transaction",
    ),
    ("charges.list", "GET", "/v1/charges", params.ChargeListParams, "list"),
    ("charges.retrieve", "GET", "/v1/charges/{id}", params.ChargeRetrieveParams, "charge"),
    ("charges.update", "POST", "/v1/charges/{id}", params.ChargeUpdateParams, "charge"),
    (
        "sessions.create",
        "POST",
        "/v1/checkout/sessions",
        checkout.SessionCreateParams,
        "checkout.session",
    ),
    ("sessions.list", "GET", "/v1/checkout/sessions", checkout.SessionListParams, "list"),
    (
        "sessions.retrieve",
        "GET",
        "/v1/checkout/sessions/{id}",
        checkout.SessionRetrieveParams,
        "checkout.session",
    ),
    (
        "sessions.update",
        "POST",
        "/v1/checkout/sessions/{id}",
        checkout.SessionUpdateParams,
        "checkout.session",
    ),
    (
        "sessions.expire",
        "POST",
        "/v1/checkout/sessions/{id}/expire",
        checkout.SessionExpireParams,
        "checkout.session",
    ),
    (
        "sessions.line_items",
        "GET",
        "/v1/checkout/sessions/{id}/line_items",
        checkout.SessionListLineItemsParams,
        "list",
    ),
    ("coupons.create", "POST", "/v1/coupons", params.CouponCreateParams, "coupon"),
    ("coupons.list", "GET", "/v1/coupons", params.CouponListParams, "list"),
    ("coupons.retrieve", "GET", "/v1/coupons/{id}", params.CouponRetrieveParams, "coupon"),
    ("coupons.delete", "DELETE", "/v1/coupons/{id}", params.CouponDeleteParams, "coupon"),
    ("customers.create", "POST", "/v1/customers", params.CustomerCreateParams, "customer"),
    ("customers.list", "GET", "/v1/customers", params.CustomerListParams, "list"),
    ("customers.retrieve", "GET", "/v1/customers/{id}", params.CustomerRetrieveParams, "customer"),
    ("customers.update", "POST", "/v1/customers/{id}", params.CustomerUpdateParams, "customer"),
    ("customers.delete", "DELETE", "/v1/customers/{id}", params.CustomerDeleteParams, "customer"),
    ("disputes.list", "GET", "/v1/disputes", params.DisputeListParams, "list"),
    ("disputes.retrieve", "GET", "/v1/disputes/{id}", params.DisputeRetrieveParams, "dispute"),
    ("disputes.update", "POST", "/v1/disputes/{id}", params.DisputeUpdateParams, "dispute"),
    ("disputes.close", "POST", "/v1/disputes/{id}/close", params.DisputeCloseParams, "dispute"),
    ("events.list", "GET", "/v1/events", params.EventListParams, "list"),
    ("events.retrieve", "GET", "/v1/events/{id}", params.EventRetrieveParams, "event"),
    (
        "payment_intents.create",
        "POST",
        "/v1/payment_intents",
        params.PaymentIntentCreateParams,
        "payment_intent",
    ),
    ("payment_intents.list", "GET", "/v1/payment_intents", params.PaymentIntentListParams, "list"),
    (
        "payment_intents.retrieve",
        "GET",
        "/v1/payment_intents/{id}",
        params.PaymentIntentRetrieveParams,
        "payment_intent",
    ),
    (
        "payment_intents.update",
        "POST",
        "/v1/payment_intents/{id}",
        params.PaymentIntentUpdateParams,
        "payment_intent",
    ),
    (
        "payment_intents.confirm",
        "POST",
        "/v1/payment_intents/{id}/confirm",
        params.PaymentIntentConfirmParams,
        "payment_intent",
    ),
    (
        "payment_intents.cancel",
        "POST",
        "/v1/payment_intents/{id}/cancel",
        params.PaymentIntentCancelParams,
        "payment_intent",
    ),
    (
        "payment_methods.create",
        "POST",
        "/v1/payment_methods",
        params.PaymentMethodCreateParams,
        "payment_method",
    ),
    ("payment_methods.list", "GET", "/v1/payment_methods", params.PaymentMethodListParams, "list"),
    (
        "payment_methods.retrieve",
        "GET",
        "/v1/payment_methods/{id}",
        params.PaymentMethodRetrieveParams,
        "payment_method",
    ),
    (
        "payment_methods.attach",
        "POST",
        "/v1/payment_methods/{id}/attach",
        params.PaymentMethodAttachParams,
        "payment_method",
    ),
    (
        "payment_methods.detach",
        "POST",
        "/v1/payment_methods/{id}/detach",
        params.PaymentMethodDetachParams,
        "payment_method",
    ),
    ("prices.create", "POST", "/v1/prices", params.PriceCreateParams, "price"),
    ("prices.list", "GET", "/v1/prices", params.PriceListParams, "list"),
    ("prices.retrieve", "GET", "/v1/prices/{id}", params.PriceRetrieveParams, "price"),
    ("prices.update", "POST", "/v1/prices/{id}", params.PriceUpdateParams, "price"),
    ("products.create", "POST", "/v1/products", params.ProductCreateParams, "product"),
    ("products.list", "GET", "/v1/products", params.ProductListParams, "list"),
    ("products.retrieve", "GET", "/v1/products/{id}", params.ProductRetrieveParams, "product"),
    ("products.update", "POST", "/v1/products/{id}", params.ProductUpdateParams, "product"),
    ("products.delete", "DELETE", "/v1/products/{id}", params.ProductDeleteParams, "product"),
    ("refunds.create", "POST", "/v1/refunds", params.RefundCreateParams, "refund"),
    ("refunds.list", "GET", "/v1/refunds", params.RefundListParams, "list"),
    ("refunds.retrieve", "GET", "/v1/refunds/{id}", params.RefundRetrieveParams, "refund"),
    ("refunds.update", "POST", "/v1/refunds/{id}", params.RefundUpdateParams, "refund"),
    ("refunds.cancel", "POST", "/v1/refunds/{id}/cancel", params.RefundCancelParams, "refund"),
    (
        "webhook_endpoints.create",
        "POST",
        "/v1/webhook_endpoints",
        params.WebhookEndpointCreateParams,
        "webhook_endpoint",
    ),
    (
        "webhook_endpoints.list",
        "GET",
        "/v1/webhook_endpoints",
        params.WebhookEndpointListParams,
        "list",
    ),
    (
        "webhook_endpoints.retrieve",
        "GET",
        "/v1/webhook_endpoints/{id}",
        params.WebhookEndpointRetrieveParams,
        "webhook_endpoint",
    ),
    (
        "webhook_endpoints.update",
        "POST",
        "/v1/webhook_endpoints/{id}",
        params.WebhookEndpointUpdateParams,
        "webhook_endpoint",
    ),
    (
        "webhook_endpoints.delete",
        "DELETE",
        "/v1/webhook_endpoints/{id}",
        params.WebhookEndpointDeleteParams,
        "webhook_endpoint",
    ),
)

OPERATIONS: tuple[Operation, ...] = tuple(Operation(*row) for row in _TABLE)


def operation_for(method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
    """The operation that a request names, and the ids in its path."""
    for operation in OPERATIONS:
        if operation.method == method and (match := operation.pattern.fullmatch(path)):
            return operation, match.groupdict()
    return None
