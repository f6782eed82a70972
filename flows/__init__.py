"""When it runs: Prefect flows and the command line."""
