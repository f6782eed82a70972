"""Delivery: what the outbox holds reaches dispatch systems, at least once and in order per petition."""

from dispatch.delivery.addresses import SubscriberError
from dispatch.delivery.subscribers import Subscriber

__all__ = ["Subscriber", "SubscriberError"]
