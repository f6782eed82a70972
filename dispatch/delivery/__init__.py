"""Delivery: what the outbox holds reaches dispatch systems, at least once and in order per petition."""

from dispatch.delivery.subscribers import Subscriber, SubscriberError

__all__ = ["Subscriber", "SubscriberError"]
