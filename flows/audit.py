"""Is history whole? The chain verified, or a past day recomputed, in the background."""

from datetime import date, datetime
from typing import Any, Literal

from prefect import State, flow

from flows import steps
from flows.workplace import instant


@flow(name="audit", flow_run_name="{kind}", persist_result=False)
def audit(
    kind: Literal["verify", "replay"] = "verify",
    creditor: str | None = None,
    as_of: date | None = None,
    at: datetime | None = None,
) -> State[Any]:
    """Verify the chain of events, its anchors and the evidence; or recompute a past day. It ends as its task does.

    Args:
        kind: `verify`: the chain, which is all creditors'. `replay`: a day of a creditor.
        creditor: Code of the creditor whose day is recomputed; empty: of all that ran on it.
        as_of: The past day; empty: the last one that ran.
        at: Instant that the run speaks for; empty: now.
    """
    if kind == "verify":
        return steps.prove_chain(instant(at))
    return steps.prove_days(creditor, as_of, instant(at))
