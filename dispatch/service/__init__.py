"""The HTTP service: suggestions now, pulled by position, decided on; health, metrics, an Open311 view, the console."""

from dispatch.service.app import create_app
from dispatch.service.context import Service
from dispatch.service.settings import ServiceSettings

__all__ = ["Service", "ServiceSettings", "create_app"]
