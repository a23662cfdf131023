"""What the doctor looks at, by the settings. It loads Stripe's SDK, which a service does late."""

from prepaid.flows.doctor import Patient
from prepaid.payments.gateway import Gateway
from prepaid.settings import Settings, faults_of


def patient_of(settings: Settings, gateway: Gateway | None) -> Patient:
    """The set-up that these settings make."""
    faults = faults_of(settings)
    unreadable = any(fault.startswith("PREPAID_DATABASE_URL") for fault in faults)
    return Patient(
        setting_faults=faults,
        gateway=gateway,
        database=None if unreadable else settings.database,
        webhook_url=settings.webhook_url,
        return_origins=settings.origins,
        takes_tokens=bool(settings.issuers),
        automatic_tax=settings.automatic_tax,
    )
