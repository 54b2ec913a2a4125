"""Answers: what a customer wrote to us. Until a person has read it, nobody writes to them (law 6)."""

from sqlmodel import col, select

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import Channel, EvidenceKind, Role, WorkKind
from maatpak.ledger.tables import Action, Answer, Case, Evidence, Message, MessageAction
from maatpak.ledger.versions import succeed
from policies.reach import Learned
from tasks.desk import Desk
from tasks.evidence import learn_of_address
from tasks.exceptions import ALLOCATE, WITHIN
from tasks.rights import DESK
from tasks.worklist import close_work_about, open_work

READ_WITHIN = 2
"""Working days; after that the open reply is an alarm."""
READ = "Read the answer."


def record_answer(
    desk: Desk,
    case: Case,
    channel: Channel,
    *,
    answer_no: str | None = None,
    message_ref: str | None = None,
    content: bytes | None = None,
) -> Answer:
    """An answer that came in today; a known number changes nothing.

    It proves that the message it answers arrived, so somebody is there.
    """
    desk.require("record an answer", *DESK)
    if answer_no is not None:
        present = _current(desk, answer_no)
        if present is not None:
            return present
    message = _message(desk, case, message_ref)
    answer = Answer(
        answer_no=answer_no or desk.number("answer", "A"),
        creditor_id=case.creditor_id,
        debtor_id=case.debtor_id,
        case_id=case.id,
        message_id=message.id if message else None,
        channel=channel,
        received_on=desk.as_of,
        content=desk.engine.store.put("answers", content, "txt") if content else None,
        valid_from=desk.as_of,
        recorded_at=desk.now,
    )
    desk.session.add(answer)
    if message is not None:
        known = desk.session.exec(
            select(Evidence).where(Evidence.message_id == message.id, Evidence.kind == EvidenceKind.ANSWERED)
        ).first()
        if known is None:
            desk.session.add(
                Evidence(
                    message_id=int(message.id or 0),
                    kind=EvidenceKind.ANSWERED,
                    source=answer.answer_no,
                    observed_on=desk.as_of,
                    recorded_at=desk.now,
                )
            )
        learn_of_address(desk, case, message, Learned.ANSWERED, EvidenceKind.ANSWERED)
    desk.session.flush()
    open_work(
        desk,
        case,
        WorkKind.REPLY,
        READ,
        Role.COLLECTOR,
        working_days=READ_WITHIN,
        record_no=answer.answer_no,
    )
    if message is not None and _asked_of_cash(desk, message):
        open_work(desk, case, WorkKind.CASH, ALLOCATE, Role.OPERATOR, working_days=WITHIN)
    desk.record("answer_received", case=case, answer=answer.answer_no, channel=channel, message=message_ref)
    return answer


def read_answer(desk: Desk, answer_no: str) -> Answer:
    """A person has read it; what it says is recorded apart, as a promise, dispute, reason …"""
    desk.require("read an answer", *DESK)
    answer = _current(desk, answer_no)
    if answer is None or answer.read_on is not None:
        raise UsageError(f"There is no unread answer {answer_no!r}.", advice="`maatpak tasks list` shows them.")
    case = desk.session.get(Case, answer.case_id) if answer.case_id else None
    desk.debtor(answer.debtor_id)
    read = succeed(desk.session, answer, desk.as_of, desk.now, read_on=desk.as_of, read_by=desk.person.login)
    close_work_about(desk, answer_no, "read")
    desk.record("answer_read", case=case, debtor_id=answer.debtor_id, answer=answer_no)
    return read


def _asked_of_cash(desk: Desk, message: Message) -> bool:
    """Whether a message asked what unallocated money is for: its answer is work for cash, too."""
    served = select(Action).join(MessageAction).where(MessageAction.message_id == message.id)
    steps = [desk.engine.pack(each.pack_id).step(each.segment, each.step) for each in desk.session.exec(served)]
    return any(step.asks_of_cash for step in steps)


def _current(desk: Desk, answer_no: str) -> Answer | None:
    return desk.session.exec(
        select(Answer).where(
            Answer.answer_no == answer_no, Answer.creditor_id == desk.creditor.id, col(Answer.replaced_at).is_(None)
        )
    ).first()


def _message(desk: Desk, case: Case, message_ref: str | None) -> Message | None:
    if message_ref is None:
        return None
    message = desk.session.exec(select(Message).where(Message.message_ref == message_ref)).first()
    if message is None or message.debtor_id != case.debtor_id:
        raise UsageError(f"No message {message_ref!r} went to that debtor.", advice="`maatpak messages list`.")
    return message
