"""Customers: every case and account, where it stands and why, and what people do about it."""

from maatpak.console.frame.declared import Room, Sheet
from maatpak.console.rooms.customers.agreeing import AGREEING
from maatpak.console.rooms.customers.case import CaseSheet, read_case
from maatpak.console.rooms.customers.debtor import DebtorSheet, read_debtor
from maatpak.console.rooms.customers.listing import CASES, PATH
from maatpak.console.rooms.customers.reaching import REACHING
from maatpak.console.rooms.customers.stopping import STOPPING
from maatpak.console.rooms.customers.timeline import BEFORE
from maatpak.console.rooms.customers.why import QUERY, WhySheet, read_why

CUSTOMERS = Room(
    name="customers",
    title="Customers",
    path=PATH,
    listings=(CASES,),
    sheets=(
        Sheet(
            PATH + "/{case_id}",
            "Case",
            "One customer account in one currency: where it stands, what is open, what comes next, and all on record.",
            CaseSheet,
            read_case,
            "case.html",
            query={"before": BEFORE},
        ),
        Sheet(
            PATH + "/{case_id}/why",
            "Why?",
            "Every rule, gate and step of a day, and what other facts would make of it.",
            WhySheet,
            read_why,
            "why.html",
            query=QUERY,
        ),
        Sheet(
            "/debtors/{debtor_id}",
            "Account",
            "A customer account with its cases, its master data over time, who pays, its group, and how it is reached.",
            DebtorSheet,
            read_debtor,
            "debtor.html",
            query={"before": BEFORE},
        ),
    ),
    acts=(*AGREEING, *STOPPING, *REACHING),
)
