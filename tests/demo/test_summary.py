"""What the demo says of the customer's experience, and of what came back."""

from dataclasses import replace
from datetime import date
from io import StringIO

import polars as pl
from rich.console import Console

from connectors.faults import Fault
from connectors.mail.smtp import SmtpMail
from maatpak.demo.figures import Figures, read_figures
from maatpak.demo.summary import _experience, _lost
from maatpak.ledger.tables import Touch
from tasks.day import run_day
from tasks.engine import Engine
from tasks.receive import read_mailbox
from tests.tasks.act.house import at, build_house

DAY = date(2026, 3, 2)


def told(figures: Figures) -> str:
    written = StringIO()
    _experience(Console(file=written, width=200), figures)
    return written.getvalue()


def test_wrongful_contacts_are_told_with_their_share_and_causes(engine: Engine) -> None:
    house = build_house(engine, DAY)
    house.item(house.debtor("C1"), "F1", 100_000, date(2026, 1, 30))
    run_day(engine, house.creditor_id, DAY, at(DAY, 6))
    with engine.database.session() as session:
        for number, (cause, on) in enumerate([("paid", DAY), ("paid", DAY), (None, date(2024, 1, 1))]):
            session.add(
                Touch(
                    creditor_id=house.creditor_id,
                    party_id=1,
                    kind="wrongful_contact",
                    record_no=f"M{number}",
                    rating=-12,
                    wrongful=cause is not None,
                    cause=cause,
                    touched_on=on,
                    recorded_at=at(on),
                )
            )
    figures = read_figures(engine.database, engine.store, DAY, DAY)
    assert figures.experience.rows() == [("−12 or below", 1)]
    assert figures.counted["wrongful"].rows() == [("paid", 2)]
    shown = told(replace(figures, contacts=400))
    assert "Wrongful contacts: 2 of 400, 5.0 in 1,000 (paid 2)" in shown
    assert "Wrongful contacts: 0 of 0, 0.0 in 1,000" in told(
        replace(figures, wrongful=0, contacts=0, counted={"wrongful": pl.DataFrame()})
    )


def test_what_came_back_and_what_followed_is_told(engine: Engine) -> None:
    house = build_house(engine, DAY)
    for number in ("C1", "C2"):
        house.item(house.debtor(number, email=f"{number.lower()}@klant.example"), "F1", 100_000, date(2026, 1, 30))
    mail = engine.mail
    assert isinstance(mail, SmtpMail)
    assert mail.sink is not None
    mail.sink.plan_faults([Fault(match="c1@", at="delivery", reply="550 5.1.1 no such user")])
    run_day(engine, house.creditor_id, DAY, at(DAY, 6))
    read_mailbox(engine, at(DAY, 18))
    figures = read_figures(engine.database, engine.store, DAY, DAY)
    assert figures.came_back.to_dicts() == [
        {"channel": "email", "sent": 2, "arrived": 1, "lost": 1, "answers": 0, "automatic": 0, "stops": 0}
    ]
    written = StringIO()
    Console(file=written, width=200).print(_lost(figures))
    for told in ("email 550 5.1.1 unknown_user 1", "email dead 1", "open 1"):
        assert told in written.getvalue()
