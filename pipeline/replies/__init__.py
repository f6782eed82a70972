"""The reply wing: how good the replies (答复) to petitions are. Nothing here may feed a router."""
