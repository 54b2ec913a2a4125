"""Is history whole: the last proofs of the chain and of past days, and having it proven now."""

from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Choice, Done
from maatpak.console.frame.fields import Line, NoFields
from maatpak.console.frame.problems import missing
from maatpak.console.orchestration.acts import Operator, prove
from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.ledger.verify import Fault
from tasks.audit.proving import VERIFIED, Proof, findings_of, last_proofs, proof_of
from tasks.differences import Difference

PATH = "/audit/chain"
MOST_FINDINGS = 200
HEAD = "SELECT seq, hash FROM event_head"
LAST_DAYS = """
SELECT c.code, (SELECT max(t.business_date) FROM tick t WHERE t.creditor_id = c.id) AS day
FROM creditor c WHERE c.id = ANY(:creditors) ORDER BY c.code
"""


@dataclass(frozen=True)
class ChainSheet:
    """The chain, its anchors, and what proofs found."""

    head_seq: int
    """Number of the last event."""
    head_hash: str
    anchored_seq: int
    """Events up to this number are proven by an anchor outside the database; 0: none."""
    anchored_at: datetime | None
    anchor_hash: str | None
    verified: Proof | None
    """The last one of the chain."""
    proofs: list[Proof]
    """The newest first, at most 20."""
    time_zone: str
    """Of what is no creditor's."""
    zones: dict[str, str]
    """Creditor → time zone."""
    started: str | None
    """Id of the run that was started just now."""
    finished: int | None
    """Event of its proof, once it is there."""


@dataclass(frozen=True)
class ProofSheet:
    """One proof with what it found."""

    proof: Proof
    time_zone: str
    faults: list[Fault]
    """Of the chain; at most 200."""
    differences: list[Difference]
    """Of a day; at most 200."""
    problem: str | None
    """Why the file of the findings cannot be read, if so."""


class Day(BaseModel):
    """A past day of a creditor."""

    creditor: Line = Field(description="Whose day.")
    as_of: date = Field(title="Date", description="A day on which a run decided.")


def read_chain(asking: Asking) -> ChainSheet:
    """The last proofs; and of the run that the URL names, whether it is over."""
    (head,) = asking.rows(HEAD)
    anchor = asking.engine.anchors.last()
    proofs = last_proofs(asking.session, asking.visitor.creditor_ids)
    started = asking.query.get("run") or None
    return ChainSheet(
        head_seq=head["seq"],
        head_hash=head["hash"],
        anchored_seq=anchor.seq if anchor else 0,
        anchored_at=anchor.at if anchor else None,
        anchor_hash=anchor.hash if anchor else None,
        verified=next((each for each in proofs if each.kind == VERIFIED), None),
        proofs=proofs,
        time_zone=asking.zone_of(None),
        zones={each.code: each.time_zone for each in asking.visitor.creditors},
        started=started,
        finished=next((each.seq for each in proofs if started and each.flow_run == started), None),
    )


def read_proof(asking: Asking, seq: int) -> ProofSheet:
    """One proof, with its findings from the evidence file."""
    try:
        proof = proof_of(asking.session, asking.visitor.creditor_ids, seq)
    except UsageError:
        raise missing("proof", seq) from None
    faults: list[Fault] = []
    differences: list[Difference] = []
    problem = None
    try:
        found = findings_of(asking.engine, proof)[:MOST_FINDINGS]
        if proof.kind == VERIFIED:
            faults = [Fault(**each) for each in found]
        else:
            differences = [Difference(**each) for each in found]
    except WorkspaceError as error:
        problem = str(error)
    return ProofSheet(proof, asking.zone_of(proof.creditor), faults, differences, problem)


def days(asking: Asking) -> dict[str, list[Choice]]:
    """Whose days may be recomputed, and which was the last of each."""
    rows = asking.rows(LAST_DAYS, creditors=list(asking.visitor.creditor_ids))
    return {"creditor": [Choice(row["code"], f"{row['code']}, last run {row['day']}") for row in rows if row["day"]]}


def verify(acting: Acting, form: NoFields) -> Done:
    """Start the proof of the chain."""
    del form
    return _started(acting, None, None)


def replay(acting: Acting, form: Day) -> Done:
    """Start recomputing a day."""
    return _started(acting, form.creditor, form.as_of)


def _started(acting: Acting, code: str | None, as_of: date | None) -> Done:
    codes = [each.code for each in acting.visitor.creditors]
    run = prove(Operator(acting.engine, acting.visitor.login, codes, acting.now), code, as_of)
    what = f"The day {as_of} of {code} is recomputed" if code else "The chain is verified"
    return Done(f"{what} now, in the background.", f"{PATH}?run={run}", {"run": run})
