"""What a template may use: every name with its meaning, and samples of all of them to try templates with.

`tasks.compose` fills exactly these; a test compares both. A name that may be absent is none then, never left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True)
class Variable:
    """One name, or one group of names, that templates may use."""

    meaning: str
    fields: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False
    """May be none."""
    many: bool = False
    """A list of such groups."""


VARIABLES: dict[str, Variable] = {
    "channel": Variable("email, sms or post"),
    "creditor": Variable(
        "Who writes",
        {
            "name": "Name of the creditor",
            "email": "Its e-mail address, or empty",
            "phone": "Its phone number, or empty",
            "city": "Its town, or empty",
            "country": "Its country, as a code",
        },
    ),
    "customer": Variable(
        "Who is written to",
        {
            "name": "Name of the customer",
            "number": "Customer number",
            "owner": "Whose items they are where another pays for them, or empty",
            "person": "The contact person, or empty",
            "kind": "business, consumer or public",
            "country": "Country, as a code",
            "address": "Postal address as one line, or empty",
        },
    ),
    "contact": Variable("How to reach us in few words: the phone number, else the e-mail address"),
    "total": Variable("The amount asked, as text; several currencies joined"),
    "set_aside": Variable("What is open of the items and not asked: disputed, promised or netted. May be empty"),
    "count": Variable("How many items are asked for"),
    "document": Variable("Number of the oldest item asked"),
    "oldest_due": Variable("Its due date"),
    "known_on": Variable("The date for which the ledger speaks"),
    "today": Variable("The date of the message"),
    "reply_by": Variable("The date by which we ask for payment or a word: a bank day before the next step may come"),
    "pay_by": Variable("The date that a demand names: the step's term after delivery"),
    "earlier": Variable(
        "Earlier notices of these items of which there is evidence",
        {"on": "Its date", "how": "by e-mail, by letter …"},
        many=True,
    ),
    "earlier_about": Variable("The documents that these notices named, where that is not all of them. May be empty"),
    "unproven": Variable(
        "The last earlier notice, when none has evidence", {"on": "Its date", "what": "our e-mail …"}, optional=True
    ),
    "heard": Variable("Whether a word or money came from the customer since the first notice of these items"),
    "then": Variable(
        "What the journey does next if nothing happens", {"kind": "Kind of step", "on": "Not before"}, optional=True
    ),
    "copies": Variable("Document numbers whose copies are attached", many=True),
    "pay": Variable(
        "How to pay",
        {
            "amount": "What is to be paid now: the amount asked, or the first instalment of a plan spoken of",
            "link": "Payment page, or empty",
            "payee": "Name of the account",
            "iban": "IBAN in groups of four, or empty",
            "bic": "BIC, or empty",
            "reference": "What to state",
        },
    ),
    "signatory": Variable("Who signs", {"name": "Name, or empty", "title": "Title, or empty", "phone": "Or empty"}),
    "manager": Variable("The account manager's name, or empty"),
    "manager_agreed": Variable("Whether the account manager was asked in this round, and agreed"),
    "plan": Variable(
        "The plan offered or agreed",
        {
            "count": "Number of instalments",
            "total": "Its total",
            "first_amount": "First instalment",
            "first_on": "Its date",
            "valid_until": "Until when it can be accepted",
            "agreed": "Whether it is agreed, not only offered",
        },
        optional=True,
    ),
    "promise": Variable(
        "The last promise", {"amount": "Its amount", "on": "Its date", "open": "Whether it stands"}, optional=True
    ),
    "payment": Variable("The last payment", {"amount": "Its amount", "on": "Its date"}, optional=True),
    "received": Variable(
        "Payments that lie unallocated; only of a step that asks what they are for",
        {"amount": "What of it is unallocated", "on": "Its date"},
        many=True,
    ),
    "may_be_for": Variable(
        "The oldest open documents that they may be for",
        {"number": "Its number", "due": "Its due date", "open": "What of it is open"},
        many=True,
    ),
    "debit": Variable(
        "The direct debit that came back",
        {"on": "When", "cause": "funds, mandate, account, refused or other"},
        optional=True,
    ),
}
"""Everything that a template may name, beside the tables of policies/markup.py."""

LABEL_NAMES = frozenset(
    (
        *("document", "issued", "due", "amount", "asked", "open", "status", "instalment"),
        *("total", "total_open", "total_plan", "pay_button", "link", "payee", "iban", "bic", "reference", "scan"),
        *("page", "page_of", "our_reference", "your_number", "date", "attention", "phone", "email"),
        *("by_email", "by_sms", "by_post", "our_email", "our_sms", "our_post"),
        *("is_overdue", "is_due_later", "is_disputed", "is_credit", "and", "credit_manager", "stop"),
        *("reach_page", "reach_mail"),
    )
)
"""The fixed words that a language's `labels.yaml` must have."""
MORE_LABELS = frozenset({"colon"})
"""Those that it may have: what stands between a label and its value in plain text, where that is not `:`."""

ODD = 'Jansen & Zn. **"<b>[pay]*'
"""A customer's name that would break a careless template."""


def reach_page(link: str) -> dict[str, str]:
    """Where the reader of a mail says how we reach them: our page."""
    return {"link": link, "text": link, "label": "reach_page"}


def reach_mail(address: str, subject: str) -> dict[str, str]:
    """Where the reader of a mail says how we reach them: a mail with that subject; nowhere without an address."""
    link = f"mailto:{quote(address, safe='@')}?subject={quote(subject)}" if address else ""
    return {"link": link, "text": f"{address} ({subject})", "label": "reach_mail"}


def samples() -> Iterator[dict[str, Any]]:
    """Contexts that together take every usual turn of a template."""
    yield _sample(one=True, full=True, kind="business", then="call")
    yield _sample(one=False, full=False, kind="consumer", then=None)
    yield _sample(one=False, full=True, kind="consumer", then="handoff")
    yield _sample(one=True, full=False, kind="public", then="message")


def longest() -> Iterator[dict[str, Any]]:
    """The samples with values as long as they plausibly get: what a text to a phone must have room for.

    The creditor's name has a letter that no phone's own alphabet has.
    """
    name, money, day = "Coöperatie Zeeuwse Mosselkwekers België", "€ 1.234.567,89", "30 septembre 2026"
    link = "https://betalen.mosselkwekers.example/?m=0123456789abcdef0123456789abcdef"
    reference = "C-1001 VERKOOPFACTUUR-2026-0012345 VERKOOPFACTUUR-2026-0012346"
    for sample in samples():
        pay = sample["pay"]
        yield {
            **sample,
            "creditor": {**sample["creditor"], "name": name},
            "total": money,
            "count": sample["count"] if sample["count"] == 1 else 120,
            "document": "VERKOOPFACTUUR-2026-0012345",
            **dict.fromkeys(("oldest_due", "known_on", "reply_by"), day),
            "pay": {
                **pay,
                "link": pay["link"] and link,
                "iban": "FR76 3000 6000 0112 3456 7890 189",
                "reference": reference,
            },
            "received": [{"amount": money, "on": day} for _ in sample["received"]],
            **_stretched(sample, "plan", total=money, first_amount=money, first_on=day, valid_until=day),
            **_stretched(sample, "promise", amount=money, on=day),
            **_stretched(sample, "payment", amount=money),
            **_stretched(sample, "debit", on=day),
        }


def _stretched(sample: Mapping[str, Any], name: str, **values: str) -> dict[str, Any]:
    return {name: sample[name] and {**sample[name], **values}}


def _sample(*, one: bool, full: bool, kind: str, then: str | None) -> dict[str, Any]:
    rows = [["F-2041", "3 March", "2 April", "€ 700.00"]] if one else [["F-2041", "a", "b", "1"], [ODD, "a", "b", "2"]]
    return {
        "creditor": {
            "name": "Sample & Co",
            "email": "accounts@sample.example" if full else "",
            "phone": "+31 20 123 4567" if full else "",
            "city": "Utrecht" if full else "",
            "country": "NL",
        },
        "customer": {
            "name": ODD,
            "number": "C-1001",
            "owner": "" if full else "Sample Works",
            "person": "J. de Vries" if full else "",
            "kind": kind,
            "country": "NL" if full else "GB",
            "address": "Keizersgracht 1, 1015 CJ Amsterdam" if full else "",
        },
        "contact": "+31 20 123 4567",
        "total": "€ 700.00",
        "set_aside": "€ 120.00" if full else "",
        "count": 1 if one else 2,
        "document": "F-2041",
        "oldest_due": "2 April 2026",
        "known_on": "8 April 2026",
        "today": "9 April 2026",
        "reply_by": "16 April 2026",
        "pay_by": "28 April 2026",
        "earlier_about": "F-2041" if full and not one else "",
        "earlier": [{"on": "1 April 2026", "how": "by e-mail"}, {"on": "7 April 2026", "how": "by letter"}]
        if full
        else [],
        "unproven": None if full else {"on": "1 April 2026", "what": "our e-mail"},
        "heard": full,
        "then": {"kind": then, "on": "17 April 2026"} if then else None,
        "copies": ["F-2041"] if full else [],
        "pay": {
            "amount": "€ 700.00",
            "link": "https://pay.sample.example/?m=4f1c" if full else "",
            "payee": "Sample & Co",
            "iban": "NL91 ABNA 0417 1643 00",
            "bic": "ABNANL2A" if full else "",
            "reference": "C-1001 F-2041",
        },
        "signatory": {"name": "A. Bakker", "title": "Credit manager", "phone": "+31 20 123 4568"}
        if full
        else {"name": "", "title": "", "phone": ""},
        "manager": "P. Smit" if full else "",
        "manager_agreed": full,
        "plan": {
            "count": 3,
            "total": "€ 700.00",
            "first_amount": "€ 234.00",
            "first_on": "20 April 2026",
            "valid_until": "23 April 2026",
            "agreed": not one,
        }
        if full
        else None,
        "promise": {"amount": "€ 350.00", "on": "7 April 2026", "open": False} if full else None,
        "payment": {"amount": "€ 100.00", "on": "7 April 2026"} if full else None,
        "received": [{"amount": "€ 1,200.00", "on": "3 March 2026"}, {"amount": "£80.00", "on": "4 March 2026"}][
            : 2 - one
        ]
        if full
        else [],
        "may_be_for": [{"number": "F-2041", "due": "2 April 2026", "open": "€ 700.00"}] if full else [],
        "debit": {"on": "7 April 2026", "cause": "funds"} if full else None,
        "tables": [_table(["document", "issued", "due", "asked"], rows, "€ 700.00")],
        "plan_tables": [_table(["instalment", "due", "amount"], [["1", "20 April 2026", "€ 234.00"]], "€ 700.00")]
        if full
        else [],
        "signature": ["A. Bakker", "Sample & Co"],
        "sender_name": "Sample & Co",
        "look": {"colour": "#1f4e79", "footer": ["Sample & Co, Utrecht"]},
        "reach": reach_page("https://maatpak.sample.example/preferences/4f1c")
        if full
        else reach_mail("accounts@sample.example", "Our reference 4f1c"),
    }


def _table(columns: list[str], rows: list[list[str]], total: str) -> dict[str, Any]:
    return {
        "title": "",
        "columns": columns,
        "right": {"asked", "amount", "open"},
        "optional": {"issued"},
        "rows": rows,
        "total_label": "Total",
        "total": total,
    }
