"""What may happen in a world, in any order and number."""

from collections import Counter
from datetime import timedelta
from typing import Any

from connectors.faults import Fault
from connectors.mail import return_path
from connectors.outcome import Sent
from connectors.post.port import LetterReport, LetterState
from connectors.sms.hooks import Word, read_incoming, read_status, read_word
from maatpak.kernel.words import Channel
from policies.reach import Learned
from tasks.preferences import mark_address, opt_out_of
from tasks.receive import read_mailbox
from tasks.receive.letters import record_letter_report
from tasks.receive.texts import record_text, record_text_report
from tasks.send.claiming import Claims
from tests.connectors.inbox.mails import report
from tests.tasks.send.guards.world import Founded, Handed, Person, World
from tests.tasks.send.sending import run_sql

STEPS = {
    "consumer": (("reminder", "forgetful"), ("second_text", "forgetful")),
    "business": (("reminder", "forgetful"), ("manager_letter", "habitual"), ("second_notice", "forgetful")),
}
"""By the preferred way, and by text; by post and mail, and by another way."""
MAILS = {
    "550": Fault(reply="550 5.1.1 no such user"),
    "451": Fault(reply="451 4.3.0 later", times=2),
    "hangs up before": Fault(drop=True, times=2),
    "hangs up after": Fault(at="after", drop=True, times=1),
}
TEXTS = {
    "400 21614": Fault(reply="400 21614", times=1),
    "429 20429": Fault(reply="429 20429", times=2),
    "500": Fault(reply="500", at="after", times=1),
    "hangs up after": Fault(at="after", drop=True, times=1),
}
STATES = {"delivered": None, "undelivered": 30005, "sent": None, "failed": 30036, "queued": None}


class Life:
    """What happens in a world."""

    def __init__(self, founded: Founded, world: World, happened: Counter[str]) -> None:
        self.founded = founded
        self.world = world
        self.happened = happened
        self.texts = 0

    def join(self, people: list[Any]) -> None:
        """More is written, to others."""
        for first, kind, (country, zone), way, houses in people[: 90 - len(self.world.people)]:
            person = Person(len(self.world.people), kind, country, zone, way)
            self.world.people.append(person)
            for more, at in enumerate(houses):
                self.world.owes(person, at, step_of(person, first + more))
        self.world.act()

    def write_again(self, who: int, at: int, step: int, waited: int) -> None:
        """More is written to somebody: proposed today, or approved for a day."""
        person = self.world.people[who % len(self.world.people)]
        self.world.owes(person, at, step_of(person, step), waited)
        self.world.act()

    def join_and_shut(self, people: list[Any], learned: Learned | None) -> None:
        """More is written, and before it leaves every other customer's addresses are closed, or they text STOP."""
        before = set(self.world.accounts)
        self.join(people)
        for at, number in sorted(set(self.world.accounts) - before)[::2]:
            person = self.world.people[number]
            self.happened["shut"] += 1
            if learned is None:
                self.texts_us(number, "STOP", again=False)
                continue
            with self.world.desk(at) as desk:
                case = desk.case(self.world.accounts[at, number].case_id)
                for channel, address in ((Channel.EMAIL, person.email), (Channel.SMS, person.phone)):
                    mark_address(desk, case, channel, address, learned, "told by phone")
                    self.world.dead.add((self.world.domain(at), address))

    def deliver(self, minutes: int, every: int, workers: int) -> None:
        self.world.now += timedelta(minutes=minutes)
        self.world.deliver(timedelta(minutes=every), workers)

    def trouble(self, mail: str | None, text: str | None) -> None:
        self.founded.plan_faults([MAILS[mail]] if mail else [], [TEXTS[text]] if text else [])

    def is_told(self, which: int, state: str, times: int) -> None:
        """Of any message that was ever handed over, late, twice, or the opposite of what was told before."""
        if not self.world.handed:
            return
        each = self.world.handed[which % len(self.world.handed)]
        for _ in range(times):
            getattr(self, f"_{each.channel}_report")(each, state)
        self.happened[f"{each.channel} {state}"] += 1

    def texts_us(self, who: int, body: str, again: bool) -> None:
        person = self.world.people[who % len(self.world.people)]
        self.texts += not again
        form = {
            "MessageSid": f"SM{self.texts}-{person.number}",
            "From": person.phone,
            "To": "+31970000000",
            "Body": body,
        }
        text = read_incoming(form)
        assert text is not None
        news = record_text(self.world.engine, text, self.world.now)
        if news and read_word(body) is Word.STOP:
            self.world.stopped.add(person.phone)
            self.happened["stop"] += 1
        elif news and read_word(body) is Word.START:
            self.world.stopped.discard(person.phone)

    def opts_out(self, which: int, channel: str) -> None:
        """With one of our creditors."""
        accounts = sorted(self.world.accounts)
        at, number = accounts[which % len(accounts)]
        with self.world.desk(at) as desk:
            opt_out_of(desk, desk.case(self.world.accounts[at, number].case_id), channel)
        person = self.world.people[number]
        self.world.dead.add((self.world.domain(at), person.email if channel == "email" else person.phone))
        self.happened["opt-out"] += 1

    def a_worker_is_killed(self) -> None:
        """While it handed over the first that may go; whether the service has it, nobody knows."""
        world = self.world
        for house in world.houses:
            given = (world.engine, house.creditor_id, world.day, world.now, "dead", list(Channel), (), timedelta)
            for each in Claims(*given).take(1).claimed:
                past = f"clock_timestamp() - interval '1 s' WHERE id = {each.message_id}"
                run_sql(house, f"UPDATE message SET state = 'sending', leased_until = {past}")
                return

    def _email_report(self, each: Handed, state: str) -> None:
        path = return_path(self.world.engine.settings, self.world.engine.link_key)
        assert path is not None
        hard, arrived = state == "undelivered", state == "delivered"
        fields = f"Final-Recipient: rfc822; {each.address}\nAction: {'delivered' if arrived else 'failed'}\n"
        fields += f"Status: {'2.0.0' if arrived else '5.1.1' if hard else '4.2.2'}\n"
        folder = self.world.engine.workspace.sinks / "incoming"
        for name in ("new", "cur", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        content = f"Delivered-To: {path.of(each.ref)}\n".encode() + report(fields)
        (folder / "new" / f"{len(self.happened)}.{each.ref}.{state}").write_bytes(content)
        read_mailbox(self.world.engine, self.world.now).require_whole()
        self._learn(each)

    def _sms_report(self, each: Handed, state: str) -> None:
        code = STATES[state]
        sid = (each.outcome.service_ref if isinstance(each.outcome, Sent) else None) or "SM0"
        told = read_status({"MessageSid": sid, "MessageStatus": state, **({"ErrorCode": str(code)} if code else {})})
        assert told is not None
        record_text_report(self.world.engine, told, each.ref, self.world.now)
        self._learn(each)

    def _post_report(self, each: Handed, state: str) -> None:
        if isinstance(each.outcome, Sent) and each.outcome.service_ref:
            happened = LetterState.RETURNED if STATES[state] else LetterState.DELIVERED
            told = LetterReport(
                on=self.world.now.date(), service_ref=each.outcome.service_ref, state=happened, code=str(happened)
            )
            record_letter_report(self.world.engine, told, self.world.now)

    def _learn(self, each: Handed) -> None:
        """The newest that is known of an address holds: dead by this report, or good again by a late one."""
        states = self.world.houses[0].rows(
            "SELECT s.state FROM address_state s JOIN message m ON m.debtor_id = s.debtor_id AND m.channel = s.channel"
            f" AND m.recipient = s.address WHERE m.message_ref = '{each.ref}' AND s.replaced_at IS NULL"
        )
        known = (each.ref.partition("@")[2], each.address)
        shut = {row["state"] for row in states} & {"dead", "opted_out"}
        (self.world.dead.add if shut else self.world.dead.discard)(known)


def step_of(person: Person, which: int) -> tuple[str, str]:
    steps = STEPS[person.kind]
    return steps[which % len(steps)]
