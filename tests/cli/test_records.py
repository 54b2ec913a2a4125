"""What customers say and ask for, as people enter it: what the command answers, and what is stored then."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from maatpak.kernel.ids import salted_hash
from maatpak.ledger.tables import (
    AddressState,
    ClaimedPayment,
    ContactPerson,
    Debtor,
    Dispute,
    Hold,
    ItemVersion,
    PlacementCheck,
    Plan,
    Preference,
    Promise,
    StatedReason,
    Ticket,
    WorkTask,
)
from tests.cli.acting import MONDAY, Command
from tests.tasks.act.house import House

FRIDAY = MONDAY + timedelta(days=4)


def said(command: Command, *arguments: str, actor: str = "carla") -> str:
    """What a command that succeeds prints."""
    answer = command(*arguments, "--actor", actor)
    assert (answer.status, answer.err) == (0, ""), answer
    return answer.out


def told(command: Command, *arguments: str) -> Any:
    """What a command prints as JSON."""
    answer = command(*arguments, "--json")
    assert (answer.status, answer.err) == (0, ""), answer
    return json.loads(answer.out)


def test_a_hold_is_added_listed_and_lifted(house: House, command: Command) -> None:
    out = said(command, "hold", "add", "C1", "--reason", "data", "--until", f"{FRIDAY}", "--note", "address unclear")
    hold = house.row(Hold)
    assert out == f"Hold {hold.hold_no}: the case of C1 rests for data until {FRIDAY}.\n"
    assert (hold.scope, hold.until_on, hold.note, hold.actor) == ("case", FRIDAY, "address unclear", "carla")
    (row,) = told(command, "hold", "list", "--debtor", "C1")
    assert (row["creditor"], row["name"], row["hold_no"], row["until_on"]) == (
        "ACME", "C1 B.V.", hold.hold_no, FRIDAY.isoformat(),
    )  # fmt: skip
    assert "address unclear" in command("hold", "list").out
    said(command, "hold", "lift", hold.hold_no, "--note", "clear now")
    assert house.row(Hold).state == "lifted"
    assert command("hold", "list").out == "No hold is live.\n"
    assert [row["state"] for row in told(command, "hold", "list", "--all")] == ["lifted"]


def test_a_hold_on_one_item_names_its_document(house: House, command: Command) -> None:
    arguments = ("--reason", "dispute", "--until", f"{FRIDAY}", "--note", "x", "--scope", "item", "--document", "F2")
    row = json.loads(said(command, "hold", "add", "C1", *arguments, "--json"))
    assert (row["item_id"], row["debtor_no"], row["from_on"]) == (house.items["F2"], "C1", MONDAY.isoformat())
    (listed,) = told(command, "hold", "list")
    assert listed["documents"] == ["F2"]


def test_a_legal_stop_is_lifted_by_the_second_person(house: House, command: Command) -> None:
    arguments = ("--reason", "legal_stop", "--source", "insolvent", "--scope", "party", "--note", "letter")
    said(command, "hold", "add", "C1", *arguments, "--until", f"{FRIDAY}")
    number = house.row(Hold).hold_no
    assert "second person" in said(command, "hold", "lift", number, "--note", "over", actor="mo")
    (work,) = told(command, "tasks", "list", "--kind", "review")
    refused = command("tasks", "done", str(work["task_id"]), "agreed", "--actor", "mo")
    assert (refused.status, "second person" in refused.err) == (2, True)
    said(command, "tasks", "done", str(work["task_id"]), "agreed", actor="mia")
    assert house.row(Hold).state == "lifted"


def test_a_promise_is_typed_as_an_amount(house: House, command: Command) -> None:
    out = said(command, "promise", "add", "C1", "--on", f"{FRIDAY}", "--amount", "1250.00")
    promise = house.row(Promise)
    assert out == f"Promise {promise.promise_no}: C1 pays €1,250.00 by {FRIDAY}.\n"
    assert (promise.amount, promise.items, promise.promised_on) == (125_000, None, FRIDAY)
    said(command, "promise", "add", "C1", "--on", f"{FRIDAY}", "--document", "F2")
    (row,) = told(command, "promise", "list")
    assert (row["amount"], row["documents"], row["currency"]) == (50_000, ["F2"], "EUR")
    assert "€500.00" in command("promise", "list").out
    said(command, "promise", "cancel", row["promise_no"])
    assert [each["state"] for each in told(command, "promise", "list", "--all")] == ["superseded", "cancelled"]


def test_a_dispute_is_recorded_and_answered(house: House, command: Command) -> None:
    arguments = ("--document", "F1", "--reason", "price", "--amount", "250.50")
    out = said(command, "dispute", "add", "C1", *arguments)
    dispute = house.row(Dispute)
    assert out.startswith(f"Dispute {dispute.dispute_no}: €250.50 of F1; anna answers by ")
    (row,) = told(command, "dispute", "list")
    assert (row["documents"], row["amount"], row["owner"]) == (["F1"], 25_050, "anna")
    answer = ("part_accepted", "--note", "our price list", "--accepted", "100")
    said(command, "dispute", "decide", dispute.dispute_no, *answer, actor="anna")
    assert (house.row(Dispute).state, house.row(Dispute).accepted_amount) == ("part_accepted", 10_000)
    assert told(command, "dispute", "list") == []


def test_a_dispute_belongs_to_somebody_who_may_decide_it(house: House, command: Command) -> None:
    arguments = ("dispute", "add", "C1", "--document", "F1", "--reason", "price")
    for owner, error in (("olga", "may not decide a dispute"), ("zoe", "nobody who may act")):
        refused = command(*arguments, "--owner", owner, "--actor", "carla")
        assert (refused.status, error in refused.err) == (2, True), refused
    assert house.rows(Dispute) == []
    said(command, *arguments, "--owner", "dirk")
    assert house.row(Dispute).owner == "dirk"


def test_a_dispute_is_not_decided_by_a_word_that_says_less(house: House, command: Command) -> None:
    said(command, "dispute", "add", "C1", "--document", "F1", "--reason", "price")
    number = house.row(Dispute).dispute_no
    for words, error in (
        (("accepted", "--accepted", "10"), "To accept a part of €1,000.00: part_accepted."),
        (("rejected", "--accepted", "10"), "takes no amount, but €10.00 was given"),
        (("shrugged",), "One of: accepted, part_accepted, rejected, withdrawn."),
        (("open",), "One of: accepted,"),
    ):
        refused = command("dispute", "decide", number, *words, "--note", "looked into it", "--actor", "anna")
        assert (refused.status, error in refused.err) == (2, True), refused
    assert house.row(Dispute).state == "open"


@pytest.mark.parametrize(("word", "state"), [("found", "found"), ("not-found", "not_found")])
def test_a_claimed_payment_is_looked_for(house: House, command: Command, word: str, state: str) -> None:
    out = said(command, "claim", "add", "C1", "--document", "F1", actor="olga")
    claim = house.row(ClaimedPayment)
    assert "C1 says €1,000.00 is paid; silent until" in out
    assert [row["claim_no"] for row in told(command, "claim", "list")] == [claim.claim_no]
    said(command, "claim", word, claim.claim_no, actor="olga")
    assert house.row(ClaimedPayment).state == state


def test_a_reason_starts_what_it_starts(house: House, command: Command) -> None:
    assert said(command, "reason", "add", "C1", "paid_already", "--document", "F2") == "C1: paid_already is recorded.\n"
    assert house.row(StatedReason).reason == "paid_already"
    assert house.row(ClaimedPayment).amount == 50_000
    said(command, "reason", "add", "C1", "pay_run", "--pay-run", "friday")
    assert (house.row(Preference).name, house.row(Preference).value) == ("pay_run", "friday")
    assert [row["reason"] for row in told(command, "reason", "list")] == ["pay_run", "paid_already"]


def test_a_plan_is_offered_accepted_and_cancelled(house: House, command: Command) -> None:
    parts = ("--instalment", "2026-03-13=700.00", "--instalment", "2026-04-13=800.00")
    out = said(command, "plan", "add", "C1", *parts)
    plan = house.row(Plan)
    assert out.startswith(f"Plan {plan.plan_no}: €1,500.00 in 2 instalments; it stands until ")
    assert plan.instalments == [
        {"due_on": "2026-03-13", "amount": 70_000},
        {"due_on": "2026-04-13", "amount": 80_000},
    ]
    said(command, "plan", "accept", plan.plan_no)
    (row,) = told(command, "plan", "list")
    assert (row["state"], row["parts"], row["documents"], row["total"]) == ("active", 2, ["F1", "F2"], 150_000)
    said(command, "plan", "cancel", plan.plan_no, actor="mo")
    assert house.row(Plan).state == "cancelled"
    said(command, "plan", "add", "C1", "--document", "F1")
    said(command, "plan", "decline", house.rows(Plan)[-1].plan_no)
    assert [each["state"] for each in told(command, "plan", "list", "--all")] == ["cancelled", "declined"]


def test_who_offers_a_plan_hears_what_of_it_is_disputed(house: House, command: Command) -> None:
    said(command, "dispute", "add", "C1", "--document", "F1", "--reason", "price", "--amount", "300.00")
    out = said(command, "plan", "add", "C1")
    assert ": €1,200.00 in 3 instalments" in out
    assert out.endswith("Left out, as disputed: €300.00.\n")


def test_a_plan_above_the_limit_asks_a_second_person(house: House, command: Command) -> None:
    house.item(1, "F3", 900_000, date(2026, 2, 6))
    assert "second person" in said(command, "plan", "add", "C1", actor="max")
    assert house.rows(Plan) == []
    (work,) = told(command, "tasks", "list", "--kind", "review")
    said(command, "tasks", "done", str(work["task_id"]), "agreed", actor="mo")
    assert house.row(Plan).total == 1_050_000


def test_notes_are_written_and_listed(house: House, command: Command) -> None:
    assert said(command, "case", "note", "C1", "Ask for Jan.") == "Noted on C1.\n"
    (row,) = told(command, "case", "notes", "--debtor", "C1")
    assert (row["body"], row["written_on"]) == ("Ask for Jan.", MONDAY.isoformat())


def test_two_accounts_are_said_to_be_one_customer(house: House, command: Command) -> None:
    house.debtor("C2")
    asked = json.loads(said(command, "case", "merge", "C1", "C2", "--reason", "same VAT number", "--json"))
    assert (asked["debtor_no"], asked["other_no"]) == ("C1", "C2")
    said(command, "tasks", "done", str(asked["task_id"]), "agreed", actor="mo")
    assert len({debtor.party_id for debtor in house.rows(Debtor)}) == 1


def test_tickets_open_and_close(house: House, command: Command) -> None:
    assert said(command, "ticket", "add", "C1", "complaint", "--number", "CRM-7") == "Ticket CRM-7: complaint of C1.\n"
    said(command, "ticket", "add", "C1", "complaint", "--number", "CRM-7")
    (row,) = told(command, "ticket", "list")
    assert (row["ticket_no"], row["kind"], row["opened_on"]) == ("CRM-7", "complaint", MONDAY.isoformat())
    said(command, "ticket", "close", "C1", "CRM-7")
    assert house.row(Ticket).closed_on == MONDAY
    assert told(command, "ticket", "list") == []


def test_preferences_contacts_and_opt_outs(house: House, command: Command) -> None:
    said(command, "preference", "add", "C1", "channel", "post")
    said(command, "preference", "add", "C1", "channel", "email")
    (row,) = told(command, "preference", "list")
    assert (row["preference"], row["value"], row["actor"]) == ("channel", "email", "carla")
    said(command, "preference", "contact", "C1", "Pia Pay", "--role", "payables", "--email", "pia@example.test")
    assert (house.row(ContactPerson).name, house.row(ContactPerson).email) == ("Pia Pay", "pia@example.test")
    said(command, "preference", "opt-out", "C1", "email")
    marks = house.rows(AddressState)
    assert {(each.channel, each.address, each.state) for each in marks} == {
        ("email", address, "opted_out") for address in ("C1@example.test", "pia@example.test")
    }
    named = {event.body["address"] for event in house.rows_of_events("address_marked")}
    assert named == {salted_hash(each.address, each.salt) for each in marks}
    assert "agreed to texts at +31612345678" in said(
        command, "preference", "texts", "C1", "06 12345678", "yes", "--source", "call"
    )
    listed = {row["preference"]: row["value"] for row in told(command, "preference", "list", "--debtor", "C1")}
    assert listed["texts to +31612345678"] == "yes"
    assert listed["no email"] in {each.address for each in marks}
    said(command, "preference", "texts", "C1", "+31612345678", "no", "--source", "answer")
    listed = {row["preference"]: row["source"] for row in told(command, "preference", "list")}
    assert listed["texts to +31612345678"] == "answer"


HOLD = ("hold", "add", "C1", "--until", "2026-03-06", "--note", "x")
CHECK = ("check", "record", "C1", "--source", "x")
CONTACT = ("preference", "contact", "C1", "Pia", "--role", "payables")
REFUSED: list[tuple[tuple[str, ...], str, str]] = [
    (("hold", "add", "C9", "--reason", "data", "--until", "2026-03-06", "--note", "x"), "no debtor 'C9'", "cases"),
    ((*HOLD, "--reason", "mood"), "no reason for a hold", "One of"),
    (("hold", "add", "C1", "--reason", "data", "--until", "2027-03-06", "--note", "x"), "at most 22", "latest end"),
    ((*HOLD, "--reason", "disaster"), "may not set", "Ask"),
    ((*HOLD, "--reason", "data", "--scope", "all"), "no scope", "item"),
    (("hold", "add", "C1", "--reason", "data", "--until", "2026-03-06", "--note", " "), "in words", "Give a note"),
    (("hold", "lift", "H9", "--note", "x"), "no hold 'H9'", "hold list"),
    (("promise", "add", "C1", "--on", "2026-03-06", "--amount", "9999.00"), "does not fit", "within"),
    (("promise", "add", "C1", "--on", "2026-03-06", "--amount", "12,50"), "not an amount", "1250.00"),
    (("promise", "add", "C1", "--on", "2026-03-06", "--amount", "1.005"), "more decimals", "minor"),
    (("promise", "add", "C1", "--on", "2026-06-06"), "working days ahead", "payment plan"),
    (("promise", "add", "C1", "--on", "2026-03-06", "--currency", "USD"), "no case in USD", "It has EUR"),
    (("promise", "cancel", "P9"), "no promise 'P9'", "promise list"),
    (("dispute", "add", "C1", "--document", "F9", "--reason", "price"), "Not open", "F1, F2"),
    (("dispute", "add", "C1", "--document", "F1", "--reason", "forgot"), "'forgot' is no objection", "set_off.\n"),
    (("promise", "add", "C1", "--on", "26-11-2026"), "'26-11-2026' is no date", "2026-01-31"),
    (("promise", "add", "D-5", "--on", "2026-03-06"), "no debtor 'D-5'", "quarantine list"),
    (("claim", "found", "C9"), "no claim 'C9'", "claim list"),
    (("reason", "add", "C1", "bored"), "no reason for not paying", "lost_invoice"),
    (("plan", "add", "C1", "--instalment", "tomorrow=5"), "no instalment", "2026-03-16=500.00"),
    (("plan", "add", "C1", "--instalment", "2026-03-13=5.00"), "does not hold", "add up to €5.00, not to €1,500.00"),
    (("plan", "accept", "L9"), "no plan 'L9'", "plan list"),
    (("ticket", "add", "C1", "rant"), "no kind of ticket", "complaint"),
    (("ticket", "close", "C1", "T9"), "no open ticket", "ticket list"),
    ((*CHECK, "--kind", "credit", "--result", "clear"), "no check of a customer", "insolvency_register"),
    ((*CHECK, "--kind", "identity", "--result", "good"), "no result", "clear, failed"),
    ((*CHECK, "--kind", "limitation", "--result", "clear"), "Until when can F1", "--until"),
    ((*CHECK, "--kind", "identity", "--result", "insolvent"), "no result of a check of kind identity", "clear, failed"),
    (("creditor", "licence", "NONE", "--country", "NL", "--source", "x"), "no creditor", "ACME"),
    (("preference", "add", "C1", "colour", "red"), "no preference", "pay_run"),
    (("preference", "add", "C1", "pay_run", "sunday"), "does not fit", "weekday"),
    (("preference", "texts", "C1", "12", "yes", "--source", "call"), "12", "number"),
    (("preference", "texts", "C1", "+31612345678", "perhaps", "--source", "call"), "neither yes nor no", "Say yes"),
    (("preference", "add", "C1", "call_hours", "12:00-09:00"), "end before they begin", "09:00-12:00"),
    (("preference", "add", "C1", "cut_off", "21"), "does not fit", "working days before a pay run"),
    (("preference", "opt-out", "C1", "fax"), "no channel", "email"),
    ((*CONTACT, "--email", "nonsense"), "'nonsense' is not an e-mail address", "name@"),
    ((*CONTACT, "--email", "pia@example.test", "--phone", "abc"), "'abc' is not a phone number", "digits"),
    (("preference", "contact", "C1", "Pia", "--role", "boss"), "no role", "payables"),
    ((*HOLD, "--reason", "data", "--actor", "zoe"), "nobody", "user add"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "problem", "advice"), REFUSED, ids=lambda each: " ".join(each[:2]))
def test_what_cannot_be_is_said_with_advice_and_leaves_nothing(
    house: House, command: Command, arguments: tuple[str, ...], problem: str, advice: str
) -> None:
    before = len(house.rows_of_events())
    actor = () if "--actor" in arguments else ("--actor", "carla")
    answer = command(*arguments, *actor)
    assert (answer.status, answer.out) == (2, ""), answer
    assert problem in answer.err
    assert advice in answer.err
    as_json = command(*arguments, *actor, *(() if arguments[1] == "opt-out" else ("--json",)))
    assert as_json.status == 2
    assert len(house.rows_of_events()) == before
    assert [house.rows(table) for table in (Hold, Promise, Dispute, Plan, Ticket, Preference, WorkTask)] == [[]] * 7


def test_a_debtor_of_two_creditors_or_currencies_has_to_be_told_apart(house: House, command: Command) -> None:
    from tests.tasks.act.house import build_house

    other = build_house(house.engine, MONDAY, "BETA")
    other.debtor("C1")
    answer = command("promise", "add", "C1", "--on", f"{FRIDAY}", "--actor", "carla")
    assert (answer.status, answer.err) == (2, "Debtor 'C1' is known to ACME, BETA. Say whose with --creditor.\n")
    said(command, "promise", "add", "C1", "--on", f"{FRIDAY}", "--creditor", "ACME")
    assert [row["creditor"] for row in told(command, "promise", "list")] == ["ACME"]
    assert told(command, "promise", "list", "--creditor", "BETA") == []
    assert command("promise", "list", "--creditor", "NONE").status == 2


def test_an_amount_has_the_decimals_of_its_currency(house: House, command: Command) -> None:
    case_id = house.debtor("Y1", currency="JPY")
    house.item(case_id, "Y", 90_000, date(2026, 1, 30))
    said(command, "promise", "add", "Y1", "--on", f"{FRIDAY}", "--amount", "45000")
    assert house.row(Promise).amount == 45_000
    assert "¥45,000" in command("promise", "list").out
    assert command("promise", "add", "Y1", "--on", f"{FRIDAY}", "--amount", "45.50", "--actor", "carla").status == 2


def test_names_and_notes_are_shown_as_text(house: House, command: Command) -> None:
    house.debtor("R1", name="[red]Evil[/red] B.V.")
    arguments = ("--reason", "data", "--until", f"{FRIDAY}", "--note", "[bold]x\x1b[31m")
    said(command, "hold", "add", "R1", *arguments)
    out = command("hold", "list").out
    assert "[red]Evil[/red] B.V." in out
    assert "\x1b" not in out


def test_acts_count_from_the_business_date(house: House, command: Command, clock: Any) -> None:
    clock.at += timedelta(days=200)
    said(command, "hold", "add", "C1", "--reason", "data", "--until", f"{FRIDAY}", "--note", "x")
    assert house.row(Hold).from_on == MONDAY
    assert house.row(ItemVersion, document_no="F1").open_amount == 100_000


def test_what_was_checked_is_recorded_and_listed(house: House, command: Command) -> None:
    out = said(command, "check", "record", "C1", "--kind", "identity", "--result", "clear", "--source", "extract 7")
    assert out == "C1: identity is clear, counts until 2027-03-02.\n"
    limit = ("--kind", "limitation", "--result", "clear", "--until", "2031-01-30", "--source", "the contract")
    said(command, "check", "record", "C1", *limit)
    (check,) = house.rows(PlacementCheck, kind="limitation")
    assert (check.item_id, check.until_on, check.actor) == (house.items["F1"], date(2031, 1, 30), "carla")
    said(command, "check", "record", "C1", *limit, "--document", "F2")
    rows = told(command, "check", "list", "--debtor", "C1")
    assert [(row["kind"], row["documents"]) for row in rows] == [
        ("limitation", ["F2"]), ("limitation", ["F1"]), ("identity", []),
    ]  # fmt: skip
    assert (rows[2]["name"], rows[2]["source"], rows[2]["checked_on"]) == ("C1 B.V.", "extract 7", MONDAY.isoformat())
    assert "extract 7" in command("check", "list").out


def test_who_is_insolvent_is_left_alone_from_then_on(house: House, command: Command) -> None:
    found = ("--kind", "insolvency_register", "--result", "insolvent", "--source", "CIR 2026/88")
    assert said(command, "check", "record", "C1", *found, actor="olga") == "C1: insolvency_register is insolvent.\n"
    (hold,) = told(command, "hold", "list")
    assert (hold["reason"], hold["source"], hold["scope"]) == ("legal_stop", "insolvent", "party")


def test_the_licence_of_the_agency_is_of_the_creditor(house: House, command: Command) -> None:
    seen = ("creditor", "licence", "ACME", "--country", "NL", "--source", "Justis 12")
    assert said(command, *seen, "--until", "2027-01-31", actor="ada") == (
        "The agency of ACME may collect in NL until 2027-01-31.\n"
    )
    assert said(command, *seen, "--result", "failed", actor="mo") == "The agency of ACME has no licence for NL.\n"
    rows = told(command, "creditor", "licences")
    assert [(row["creditor"], row["result"], row["actor"]) for row in rows] == [
        ("ACME", "failed", "mo"), ("ACME", "clear", "ada"),
    ]  # fmt: skip
    assert "Justis 12" in command("creditor", "licences").out
    assert told(command, "check", "list") == []
    refused = command(*seen, "--until", "2027-01-31", "--actor", "carla")
    assert (refused.status, "may not record the agency's licence" in refused.err) == (2, True)
