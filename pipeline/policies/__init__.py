"""The policy wing: from a document to its citations, measures and gaps."""
