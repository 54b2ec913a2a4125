"""Flows that do next to nothing, for tests of deployments."""

import time

from prefect import flow


@flow(name="nap")
def nap(creditor: str, seconds: float = 0) -> str:
    time.sleep(seconds)
    return creditor
