"""What customers of a made-up house do with what they got: pay, answer, opt out, or never get it at all.

Each message that left is read by its customer, who may react days later. What they write comes in from outside
(maatpak/demo/outside.py); only a paper letter, and what the payment page tells, is entered by somebody at a desk.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date

from maatpak.demo.behaviour import Arrival, Response, Sign, after_placement, read_message
from maatpak.demo.outside import Outside
from maatpak.demo.people import Act
from maatpak.demo.sayings import customer_number, mail_of, quoted, said
from maatpak.demo.worklist import PLACED, SENT, Paper, Papers
from maatpak.demo.world import House, World
from maatpak.kernel.words import Channel, EvidenceKind
from tasks.answers import record_answer
from tasks.desk import Desk
from tasks.evidence import note_evidence
from tasks.receive.assigning import assign_incoming, list_incoming

CLERK = "operator"
OTHER_ADDRESS = 0.06
"""The part of those who answer from an address that we have never seen."""
STOP = {"nl": "AFMELDEN", "en": "STOP"}
GONE, ASLEEP = 30005, 30003
"""What the telephone company says of a number that is not in use, and of a telephone that is off."""


class Mailroom:
    """Keeps what is on its way back to one house."""

    def __init__(self, world: World, house: House, outside: Outside) -> None:
        self.world = world
        self.house = house
        self.outside = outside
        self._coming: dict[date, list[tuple[Paper, Response]]] = defaultdict(list)
        self._at_desk: list[tuple[Paper, Response]] = []

    def read(self, papers: Papers, day: date) -> None:
        """Let customers read what left today, and the agency write to those who were placed."""
        for paper in papers.read(SENT, day):
            arrival = Arrival(
                reference=f"{paper.about}/{paper.row.template}/{paper.row.channel}/{day}",
                customer=paper.customer,
                channel=paper.row.channel,
                step=paper.row.step,
                template=paper.row.template,
                sent_on=day,
                documents=tuple(paper.row.documents),
            )
            for response in read_message(self.world, arrival):
                self._coming[response.on].append((paper, response))
        for paper in papers.read(PLACED, day):
            after_placement(self.world, paper.customer, tuple(paper.row.documents), day)

    def come_in(self, day: date) -> None:
        """What customers, the telephone company and the post send us by this evening."""
        for on in sorted(when for when in self._coming if when <= day):
            for paper, response in self._coming.pop(on):
                self._come_in(paper, response, day)

    def open(self, papers: Papers) -> list[Act]:
        """What is entered at a desk this morning, and whose answers are that came from an address that is new."""
        acts = [Act(CLERK, f"entered: {response.sign}", _entry(paper, response)) for paper, response in self._at_desk]
        self._at_desk = []
        for each in list_incoming(papers.engine):
            customer = self.world.customers.get(f"{self.house.code}/{customer_number(each['text'])}")
            if customer is not None:
                assign = _assignment(each["incoming_no"], papers.case_of(customer))
                acts.append(Act(CLERK, "answer assigned", assign))
        return acts

    def _come_in(self, paper: Paper, response: Response, day: date) -> None:
        row, customer = paper.row, paper.customer
        match response.sign:
            case Sign.DELIVERED | Sign.UNDELIVERED:
                random = self.world.chance("reports", paper.about, day)
                state, code = (
                    ("delivered", None)
                    if response.sign == Sign.DELIVERED
                    else ("undelivered", GONE if customer.phone_dead else ASLEEP)
                )
                self.outside.report_text(row.service_ref, state, code, 2 if random.random() < 0.3 else 1)
            case Sign.STOPPED:
                self.outside.text(row.recipient, STOP.get(customer.language, "STOP"))
            case Sign.RETURNED:
                self.outside.return_letter(row.message_ref, day)
            case Sign.ANSWERED if row.channel == Channel.SMS:
                self.outside.text(row.recipient, said(response.means, customer.language))
            case Sign.ANSWERED if customer.email or row.channel == Channel.EMAIL:
                self._write(paper, response)
            case _:
                self._at_desk.append((paper, response))

    def _write(self, paper: Paper, response: Response) -> None:
        """They answer a mail, or write one about a letter; some from an address that nobody knows."""
        row, customer = paper.row, paper.customer
        name = customer.contact_name or customer.name
        words = mail_of(name, customer.no, customer.language, response.means)
        if row.channel == Channel.POST:
            self.outside.write(customer.email, self.house.email, row.subject, words)
        elif self.world.chance("writes", paper.about, response.on).random() < OTHER_ADDRESS:
            self.outside.write(f"{customer.no.lower()}@elders.example", self.house.email, row.subject, words)
        else:
            words += quoted(customer.language, f"{row.sent_on:%d-%m-%Y}", self.house.name, row.subject)
            self.outside.write(row.recipient, self.house.email, f"Re: {row.subject}", words, row.message_ref)


def _assignment(number: str, case_id: int) -> Callable[[Desk], object]:
    return lambda desk: assign_incoming(desk, number, case_id)


def _entry(paper: Paper, response: Response) -> Callable[[Desk], object]:
    """A used link, or a letter that somebody without e-mail wrote."""
    reference = paper.row.message_ref
    if response.sign == Sign.LINK_USED:
        return lambda desk: note_evidence(desk, reference, EvidenceKind.LINK_USED, "payment page")
    words = said(response.means, paper.customer.language).encode()
    channel = Channel(paper.row.channel)
    return lambda desk: record_answer(desk, desk.case(paper.row.case_id), channel, message_ref=reference, content=words)
