"""What comes back to the made-up houses: each message that left is read by its customer, who may react days later."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date

from maatpak.demo.behaviour import Arrival, Response, Sign, after_placement, read_message
from maatpak.demo.people import Act
from maatpak.demo.worklist import PLACED, SENT, Paper, Papers
from maatpak.demo.world import World
from maatpak.kernel.words import Channel, EvidenceKind
from tasks.answers import record_answer
from tasks.desk import Desk
from tasks.evidence import note_evidence

CLERK = "operator"


class Mailroom:
    """Keeps what is on its way back to one house."""

    def __init__(self, world: World, meanings: dict[str, str]) -> None:
        self.world = world
        self.meanings = meanings
        self._coming: dict[date, list[tuple[Paper, Response]]] = defaultdict(list)
        self._answers = 0

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

    def open(self, day: date) -> list[Act]:
        """What came back by today, to be recorded."""
        acts = []
        for on in sorted(when for when in self._coming if when <= day):
            acts += [self._act(paper, response) for paper, response in self._coming.pop(on)]
        return acts

    def _act(self, paper: Paper, response: Response) -> Act:
        do = self._answer(paper, response) if response.sign == Sign.ANSWERED else _evidence(paper, response)
        return Act(CLERK, f"came back: {response.sign}", do)

    def _answer(self, paper: Paper, response: Response) -> Callable[[Desk], object]:
        self._answers += 1
        number = f"{paper.customer.no}-{response.on:%Y%m%d}-{self._answers}"

        def do(desk: Desk) -> None:
            channel = Channel(paper.row.channel)
            record_answer(
                desk,
                desk.case(paper.row.case_id),
                channel,
                answer_no=number,
                message_ref=paper.row.message_ref,
                content=f"About your message of {paper.row.sent_on}: {response.means}.".encode(),
            )
            self.meanings[number] = response.means

        return do


def _evidence(paper: Paper, response: Response) -> Callable[[Desk], object]:
    kind = EvidenceKind(response.sign.value)
    return lambda desk: note_evidence(desk, paper.row.message_ref, kind, "mailroom")
