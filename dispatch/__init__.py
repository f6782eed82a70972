"""What leaves: the store, the output files and the report."""
