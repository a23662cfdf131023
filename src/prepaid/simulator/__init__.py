"""A local Stripe that keeps state: its API, payment pages, events, deliveries, and faults.

It stands alone: nothing here imports the rest of ``prepaid``, and the rest imports only this.
"""

from prepaid.simulator.config import SimulatorConfig
from prepaid.simulator.server import create_app, serve

__all__ = ["SimulatorConfig", "create_app", "serve"]
