"""The auditor reads everything and changes nothing: every act of `tasks` is tried, and a new one must be added here."""

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path

from sqlalchemy import text
from sqlmodel import select

import maatpak
import tasks
from connectors.ledgers.source_file import parse_source
from maatpak.kernel.checks import CheckKind, CheckResult
from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import (
    CallResult,
    Channel,
    DisputeState,
    EvidenceKind,
    HoldReason,
    NonPaymentReason,
    Role,
    WorkKind,
)
from maatpak.ledger.tables import (
    Action,
    Case,
    Creditor,
    Debtor,
    Hold,
    Message,
    PackDraft,
    Person,
    PolicyPack,
    WorkTask,
    metadata,
)
from policies.pack import standard_pack_files
from tasks.access.credentials import give_password
from tasks.access.deciding import confirm_change, refuse_change
from tasks.access.people import add_person, change_person
from tasks.access.sight import give_sight
from tasks.answers import read_answer, record_answer
from tasks.approvals import approve, ask_account_manager, postpone, reject
from tasks.audit.dossier import export_dossier
from tasks.call_list import take_next_call
from tasks.calls import Call, record_call
from tasks.case_move import move_case, skip_step
from tasks.checking import record_check, record_licence
from tasks.claims import claim_payment, resolve_claim
from tasks.desk import Desk
from tasks.disputes import decide_dispute, open_dispute
from tasks.drafts import confirm_pack, refuse_pack, submit_pack, withdraw_pack
from tasks.evidence import note_evidence
from tasks.holds import lift_hold, set_hold
from tasks.intake.ingest import ingest_ledger
from tasks.merging import ask_merge
from tasks.notes import write_note
from tasks.placements import recall_placement
from tasks.plans import accept_plan, cancel_plan, decline_plan, offer_plan
from tasks.preferences import consent_to_texts, opt_out_of, set_contact, set_preference
from tasks.promises import cancel_promise, make_promise
from tasks.publishing import publish
from tasks.quarantine import discard_row, fix_row, release_row
from tasks.reasons import state_reason
from tasks.receive.assigning import assign_incoming, drop_incoming
from tasks.register import add_creditor, change_creditor
from tasks.send.resolving import Resolution, resolve_message
from tasks.send.withdrawing import cancel_message
from tasks.tickets import close_ticket, open_ticket
from tasks.version_move import move_running
from tasks.webhooks import add_webhook, send_again, switch_webhook
from tasks.work import Outcome, finish_work, take_work
from tasks.worklist import open_work
from tests.tasks.act.house import House, at
from tests.tasks.act.stages import Stages
from tests.tasks.intake.books import SOURCE

WHO = "audrey"


def debtor(desk: Desk, case: Case) -> Debtor:
    return desk.debtor(case.debtor_id)


def task(desk: Desk) -> int:
    """Work that waits, and that somebody put on the auditor before they were one."""
    return int(desk.session.exec(select(WorkTask.id).where(WorkTask.state == "open")).first() or 0)


def call(desk: Desk) -> int:
    return int(desk.session.exec(select(WorkTask.id).where(WorkTask.kind == "call")).first() or 0)


def demand(desk: Desk) -> int:
    return int(desk.session.exec(select(Action.id).where(Action.state == "awaiting_approval")).one() or 0)


def hold_no(desk: Desk) -> str:
    return desk.session.exec(select(Hold.hold_no)).one()


def contents(house: House) -> dict[str, str | None]:
    """A hash of every table."""
    tables = sorted(metadata.tables)
    with house.engine.database.reading() as session:
        return {
            table: session.connection()
            .execute(text(f'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table}" t'))
            .scalar_one()
            for table in tables
        }


X = "X1"
AtDesk = Callable[[Desk, Case], object]
ByName = Callable[[House, str], object]

AT_DESK: dict[Callable[..., object], AtDesk] = {
    accept_plan: lambda desk, _: accept_plan(desk, X),
    approve: lambda desk, _: approve(desk, [demand(desk)], "looked at it"),
    ask_merge: lambda desk, case: ask_merge(desk, case, "C2", "same people"),
    ask_account_manager: lambda desk, _: ask_account_manager(desk, demand(desk), "Did you speak with them?"),
    assign_incoming: lambda desk, case: assign_incoming(desk, "I1", int(case.id or 0)),
    cancel_plan: lambda desk, _: cancel_plan(desk, X),
    cancel_promise: lambda desk, _: cancel_promise(desk, X),
    claim_payment: lambda desk, case: claim_payment(desk, case),
    close_ticket: lambda desk, case: close_ticket(desk, debtor(desk, case), X),
    consent_to_texts: lambda desk, case: consent_to_texts(
        desk, debtor(desk, case), "+31612345678", given=True, source="asked"
    ),
    decide_dispute: lambda desk, _: decide_dispute(desk, X, DisputeState.REJECTED, "no"),
    decline_plan: lambda desk, _: decline_plan(desk, X),
    finish_work: lambda desk, _: finish_work(desk, task(desk), Outcome("answered", "note")),
    lift_hold: lambda desk, _: lift_hold(desk, hold_no(desk), "enough"),
    make_promise: lambda desk, case: make_promise(desk, case, desk.as_of + timedelta(days=2)),
    move_case: lambda desk, case: move_case(desk, case, "strained", "they asked"),
    note_evidence: lambda desk, _: note_evidence(desk, X, EvidenceKind.BOUNCED, "the post"),
    offer_plan: lambda desk, case: offer_plan(desk, case),
    open_dispute: lambda desk, case: open_dispute(desk, case, "F1", NonPaymentReason.PRICE),
    open_ticket: lambda desk, case: open_ticket(desk, debtor(desk, case), "complaint"),
    opt_out_of: lambda desk, case: opt_out_of(desk, case, "email"),
    postpone: lambda desk, _: postpone(desk, demand(desk), "later", desk.as_of + timedelta(days=2)),
    read_answer: lambda desk, _: read_answer(desk, X),
    recall_placement: lambda desk, _: recall_placement(desk, X, "error"),
    record_answer: lambda desk, case: record_answer(desk, case, Channel.EMAIL, content=b"words"),
    record_call: lambda desk, _: record_call(desk, call(desk), Call(CallResult.NO_ANSWER, "morning")),
    record_check: lambda desk, case: record_check(
        desk, debtor(desk, case), CheckKind.IDENTITY, CheckResult.CLEAR, "the register", case=case
    ),
    record_licence: lambda desk, _: record_licence(desk, "NL", CheckResult.CLEAR, "the register"),
    reject: lambda desk, _: reject(desk, demand(desk), "no", "call", desk.as_of + timedelta(days=2)),
    resolve_claim: lambda desk, _: resolve_claim(desk, X, found=True),
    resolve_message: lambda desk, _: resolve_message(desk, X, Resolution.SENT, "rang them"),
    set_contact: lambda desk, case: set_contact(desk, debtor(desk, case), "An", "payables"),
    set_hold: lambda desk, case: set_hold(desk, case, HoldReason.DATA, desk.as_of + timedelta(days=2), "asked"),
    set_preference: lambda desk, case: set_preference(desk, debtor(desk, case), "statement_day", "5"),
    write_note: lambda desk, case: write_note(desk, case, "words"),
    skip_step: lambda desk, case: skip_step(desk, case, "call", "no number"),
    state_reason: lambda desk, case: state_reason(desk, case, NonPaymentReason.FORGOT),
    take_work: lambda desk, _: take_work(desk, task(desk)),
}
"""Acts at a desk."""

BY_NAME: dict[Callable[..., object], ByName] = {
    add_creditor: lambda house, who: add_creditor(
        house.engine,
        Creditor(**{**house.row(Creditor, code="ACME").model_dump(exclude={"id"}), "code": "NEW"}),
        who,
        at(house.day),
    ),
    add_webhook: lambda house, who: add_webhook(
        house.engine, "https://program.example/", [], "ACME", who, at(house.day)
    ),
    switch_webhook: lambda house, who: switch_webhook(house.engine, 1, who, at(house.day), active=False),
    send_again: lambda house, who: send_again(house.engine, 1, who, at(house.day)),
    add_person: lambda house, who: add_person(
        house.engine, Person(login="kim", name="Kim", role="collector", recorded_at=at(house.day)), who, at(house.day)
    ),
    cancel_message: lambda house, who: cancel_message(
        house.engine, house.creditor_id, house.rows(Message)[0].message_ref, who, house.day, at(house.day)
    ),
    change_creditor: lambda house, who: change_creditor(house.engine, "ACME", who, at(house.day), {"city": "Gent"}),
    change_person: lambda house, who: change_person(house.engine, "carla", who, at(house.day), active=False),
    confirm_pack: lambda house, who: confirm_pack(house.engine, 1, who, "yes", at(house.day)),
    refuse_pack: lambda house, who: refuse_pack(house.engine, 1, who, "no", at(house.day)),
    submit_pack: lambda house, who: submit_pack(
        house.engine, standard_pack_files(), "mine", who, at(house.day), ["ACME"]
    ),
    withdraw_pack: lambda house, who: withdraw_pack(house.engine, 1, who, "no", at(house.day)),
    confirm_change: lambda house, who: confirm_change(house.engine, 1, who, at(house.day)),
    discard_row: lambda house, who: discard_row(house.engine, 1, "no", actor=who, as_of=house.day, now=at(house.day)),
    drop_incoming: lambda house, who: drop_incoming(house.engine, "I1", who, house.day, at(house.day)),
    fix_row: lambda house, who: fix_row(house.engine, 1, {}, "so", actor=who, as_of=house.day, now=at(house.day)),
    give_password: lambda house, who: give_password(house.engine, "carla", who, at(house.day)),
    ingest_ledger: lambda house, who: ingest_ledger(
        house.engine, parse_source("books.yaml", SOURCE), [Path("none.csv")], house.day, at(house.day), who
    ),
    export_dossier: lambda house, who: export_dossier(
        house.engine, "ACME", "C1", house.engine.settings.workspace / "out", who, at(house.day)
    ),
    take_next_call: lambda house, who: take_next_call(house.engine, [house.creditor_id], who, at(house.day)),
    move_running: lambda house, who: move_running(house.engine, house.creditor_id, who, "so", house.day, at(house.day)),
    publish: lambda house, who: publish(house.engine, standard_pack_files(), "mine", who, at(house.day), ["ACME"]),
    refuse_change: lambda house, who: refuse_change(house.engine, 1, who, at(house.day)),
    release_row: lambda house, who: release_row(house.engine, 1, "so", actor=who, as_of=house.day, now=at(house.day)),
}
"""Acts of a person who is named."""

OF_A_CREDITOR = (
    cancel_message,
    confirm_pack,
    export_dossier,
    ingest_ledger,
    move_running,
    publish,
    refuse_pack,
    submit_pack,
)
"""Those of them that are for a creditor, and refuse who may not see it; of rows, tests/tasks/intake tells."""

OWN = {"end_sessions_of", "make_token", "revoke_token"}
"""What everybody does with their own way in; tests/tasks/access has whose else they may not touch."""

AUDITING = {"prove_chain", "prove_day"}
"""The auditor's own work: it leaves an event that it was done, and changes nothing else."""

RUNS = {"begin_day", "run_day", "settle_records", "tick", "tick_and_see"}
"""Work of the engine's own: no person is behind it."""

READING = {
    "asks_of_supply",
    "claimed_items",
    "current_hold",
    "disputed_parts",
    "holds_from",
    "is_of_customer",
    "live_plan",
    "open_promises",
    "owner_of",
    "pending",
    "placement_checks",
    "undisputed",
    "ways_to_end",
}
PARTS = {
    "ask_or_do",
    "changed",
    "close_work",
    "close_work_about",
    "confirm_merge",
    "confirm_move",
    "confirm_offer",
    "end_hold",
    "end_repairs_of",
    "learn_of_address",
    "mark_address",
    "not_uploaded",
    "observe",
    "open_repair",
    "open_work",
    "opt_out_address",
    "others_confirm",
    "publish_and_give",
    "record_text_consent",
    "require_administrator",
    "require_checked",
    "require_looked_up",
    "require_may_end",
    "require_ours",
    "settle_unknown",
    "write_offer",
}
"""What acts are made of: none of it is called from the command line."""


def test_every_function_that_somebody_acts_by_is_classified() -> None:
    found = {
        name
        for module in pkgutil.walk_packages(tasks.__path__, "tasks.")
        for name, function in vars(import_module(module.name)).items()
        if inspect.isfunction(function) and function.__module__ == module.name and module.name != "tasks.desk"
        if not name.startswith("_") and _has_somebody(function)
    }
    acts = {act.__name__ for act in (*AT_DESK, *BY_NAME)}
    groups = (acts, OWN, AUDITING, RUNS, READING, PARTS)
    assert sum(map(len, groups)) == len(set.union(*groups))
    assert found == set.union(*groups)


def _has_somebody(function: Callable[..., object]) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(
        each.name == "actor" or str(each.annotation).strip("'\"").endswith("Desk") for each in parameters
    ) or any(each.annotation is Desk for each in parameters)


def test_the_command_line_calls_no_part_of_an_act_by_itself() -> None:
    called = "".join(path.read_text() for path in (Path(maatpak.__file__).parent / "cli").glob("*.py"))
    assert [part for part in sorted(PARTS) if f"{part}(" in called] == []


def draft_pack(house: House) -> None:
    """A pack that waits for somebody's yes."""
    with house.engine.database.session() as session:
        files = standard_pack_files()
        pack = session.exec(select(PolicyPack)).one()
        session.add(
            PackDraft(
                name=pack.name,
                content_hash=pack.content_hash,
                files=dict(files),
                note="for tests",
                bases={"ACME": pack.id},
                move_running=False,
                submitted_by="mia",
                submitted_on=house.day,
                submitted_at=at(house.day),
            )
        )


def refusals(tries: Mapping[str, Callable[[], object]]) -> dict[str, str]:
    """What each try was refused with; nothing, where it was not."""
    said = {}
    for name, do in tries.items():
        try:
            do()
        except RefusedError as error:
            said[name] = error.message
        else:
            said[name] = ""
    return said


def at_desk(house: House, who: str, act: AtDesk) -> object:
    with house.desk(who) as desk:
        return act(desk, desk.case(int(house.row(Case).id)))


def test_neither_the_auditor_nor_who_may_not_see_the_creditor_changes_anything(stages: Stages, tmp_path: Path) -> None:
    with stages.at("demanding", tmp_path / "workspace") as house:
        with house.desk("carla") as desk:
            case = desk.case(int(house.row(Case).id))
            set_hold(desk, case, HoldReason.DATA, desk.as_of + timedelta(days=1), "asked")
            open_work(desk, case, WorkKind.REPLY, X, Role.COLLECTOR, working_days=3)
        with house.engine.database.session() as session:
            for row in session.exec(select(WorkTask)):
                row.assignee = WHO
        draft_pack(house)
        only_elsewhere(house, "mo")
        before = contents(house)
        sitting = {act.__name__: partial(at_desk, house, WHO, do) for act, do in AT_DESK.items()}
        named = {act.__name__: partial(do, house, WHO) for act, do in BY_NAME.items() if act is not export_dossier}
        assert {name: said for name, said in refusals({**sitting, **named}).items() if WHO not in said} == {}
        unseen = {act.__name__: partial(BY_NAME[act], house, "mo") for act in OF_A_CREDITOR}
        unseen["at a desk"] = partial(at_desk, house, "mo", AT_DESK[set_hold])
        told = refusals(unseen)
        assert {name: said for name, said in told.items() if "mo may not see creditor" not in said} == {}
        assert contents(house) == before


def only_elsewhere(house: House, login: str) -> None:
    """Somebody sees another creditor only."""
    with house.engine.database.session() as session:
        other = Creditor(**{**house.row(Creditor, code="ACME").model_dump(exclude={"id"}), "code": "ELSE"})
        session.add(other)
        session.flush()
        give_sight(session, int(house.row(Person, login=login).id), [int(other.id or 0)])
