"""The petition wing: clean, mask, segment, features, route, group into events."""
