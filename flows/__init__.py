"""The order of work, and nothing else: Prefect flows without business logic."""
