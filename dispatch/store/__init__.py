"""The store: what was suggested, what became of it, and what receivers must hear of it."""

from dispatch.store.engine import StoreError
from dispatch.store.store import Store
from dispatch.store.suggestions import StoredSuggestion, WriteResult

__all__ = ["Store", "StoreError", "StoredSuggestion", "WriteResult"]
