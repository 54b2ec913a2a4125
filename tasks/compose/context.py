"""What a message says, as data: the names that templates may use (policies/vocabulary.py), filled for one customer."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from maatpak.kernel.banks import RETURN_CAUSES, ReturnCause
from maatpak.kernel.calendars import BANK, add_working_days
from maatpak.kernel.references import payment_reference, usual_reference
from maatpak.kernel.words import (
    Channel,
    ConsultAnswer,
    ItemType,
    PlanState,
    PromiseState,
    StepKind,
)
from policies.render import Templates
from policies.schema import Through
from tasks.compose.look import Look
from tasks.compose.notices import earlier_about, earlier_notices, was_heard
from tasks.compose.reading import Material, Row
from tasks.compose.spelling import joined, long_date, money, short_date
from tasks.compose.subject import LONGEST_TERM, ON_THE_WAY, Subject, reply_by

MOST_DOCUMENTS = 12
"""Open documents of a currency that money may be for; who has more knows them by the oldest."""
CREDITS = frozenset({ItemType.CREDIT_NOTE, ItemType.PAYMENT})
ENGLISH = frozenset({"GB", "IE", "US", "CA", "AU", "NZ", "ZA", "IN", "SG", "HK"})
"""Countries with an English of their own; elsewhere dates and amounts in English are British."""


class Writer:
    """Writes contexts in one language for one creditor."""

    def __init__(self, templates: Templates, language: str, country: str, material: Material, look: Look) -> None:
        self.language = language
        self._country = country if language != "en" or country in ENGLISH else "GB"
        self.labels = templates.labels(language)
        self._material = material
        self._look = look

    def context(self, subject: Subject, reference: str) -> dict[str, Any]:
        """Everything that a template may name."""
        creditor, customer, items = subject.creditor, subject.customer, subject.items
        statement = subject.step.kind is StepKind.STATEMENT
        totals = subject.totals
        first = self._first_instalments(subject)
        tables, total = self._statement(subject) if statement else self._tables(subject, totals, in_parts=bool(first))
        proven, unproven = earlier_notices(self._material, subject)
        signatory = self._signatory(creditor)
        case = subject.actions[0]["case_id"]
        plan = self._material.plans.get(case)
        return {
            "creditor": {
                **{name: creditor[name] or "" for name in ("name", "email", "city", "country")},
                "phone": _unbroken(creditor["phone"] or ""),
            },
            "customer": {
                "name": customer.name,
                "number": customer.number,
                "owner": owner if (owner := subject.profile["name"]) != customer.name else "",
                "person": customer.contact_name,
                "kind": customer.kind,
                "country": customer.country,
                "address": next((each.address for each in customer.reaches if each.channel is Channel.POST), ""),
            },
            "contact": _unbroken(creditor["phone"] or creditor["email"] or "") or creditor["name"],
            "total": total,
            "set_aside": self._set_aside(subject),
            "count": len(items),
            "document": items[0]["document_no"] if items else "",
            "oldest_due": self._long(items[0]["due_on"]) if items else "",
            "known_on": self._long(creditor["known_on"] or subject.as_of),
            "today": self._long(subject.as_of),
            "reply_by": self._long(reply_by(subject)),
            "pay_by": self._long(subject.in_working_days((subject.step.term or LONGEST_TERM) + ON_THE_WAY)),
            "earlier": [
                {"on": self._long(each["sent_on"]), "how": self.labels[f"by_{each['channel']}"]} for each in proven
            ],
            "earlier_about": earlier_about(subject, proven, self.labels["and"]),
            "unproven": unproven
            and {"on": self._long(unproven["sent_on"]), "what": self.labels[f"our_{unproven['channel']}"]},
            "heard": was_heard(self._material, subject),
            "then": subject.outlook
            and {
                "kind": str(subject.outlook.kind),
                "on": self._long(subject.in_working_days(subject.outlook.working_days)),
            },
            "copies": [],
            "pay": self._pay(subject, {**totals, **first}, reference),
            "signatory": signatory,
            "manager": subject.profile["manager_name"] or "",
            "manager_agreed": self._manager_agreed(subject),
            "plan": plan and self._plan(plan, subject.actions[0]["currency"]),
            "promise": self._promise(case, subject.actions[0]["currency"]),
            "payment": self._payment(subject.actions[0]),
            "received": self._received(subject) if subject.step.asks_of_cash else [],
            "may_be_for": self._may_be_for(subject) if subject.step.asks_of_cash else [],
            "debit": self._debit(items),
            "tables": tables,
            "plan_tables": [self._plan_table(plan, subject.actions[0]["currency"])] if plan else [],
            "signature": [signatory["name"], signatory["title"], creditor["name"]],
            "sender_name": creditor["name"],
            "look": {"colour": self._look.colour, "footer": list(self._look.footer or _footer(creditor))},
        }

    def _manager_agreed(self, subject: Subject) -> bool:
        """Whether the account manager, and nobody in that place, said yes to what this round does."""
        consult = self._material.consults.get(subject.actions[0]["round_id"])
        manager = subject.profile["manager_login"]
        return bool(
            consult and manager and consult["result"] == ConsultAnswer.AGREE and consult["answered_by"] == manager
        )

    def _first_instalments(self, subject: Subject) -> dict[str, int]:
        """By currency, the first instalment of a plan that the message speaks of: all of it that is to be paid now."""
        if subject.step.kind is not StepKind.PLAN_OFFER and Through.PLAN not in subject.step.through:
            return {}
        return {
            action["currency"]: plan["instalments"][0]["amount"]
            for action in subject.actions
            if (plan := self._material.plans.get(action["case_id"]))
        }

    def _tables(
        self, subject: Subject, totals: Mapping[str, int], *, in_parts: bool
    ) -> tuple[list[dict[str, Any]], str]:
        """The items asked for, a table a currency; `in_parts`: a plan says when, so nothing here is "to pay"."""
        asked, sum_label = ("open", self.labels["total_plan"]) if in_parts else ("asked", self.labels["total"])
        tables = []
        for currency, total in totals.items():
            rows = [item for item in subject.items if item["currency"] == currency]
            partly = any(item["amount"] != item["asked"] for item in rows)
            columns = ["document", "issued", "due", *(["amount"] if partly else []), asked]
            cells = [
                [
                    item["document_no"],
                    self._short(item["issued_on"]),
                    self._short(item["due_on"]),
                    *([self._money(item["amount"], currency)] if partly else []),
                    self._money(item["asked"], currency),
                ]
                for item in rows
            ]
            tables.append(_table(columns, cells, sum_label, self._money(total, currency)))
        return tables, self._sums(totals)

    def _set_aside(self, subject: Subject) -> str:
        """What is open of the items named and not asked, for it is disputed, promised, or netted; empty if nothing."""
        rest = dict.fromkeys(subject.totals, 0)
        for item in subject.items:
            rest[item["currency"]] += item["open_amount"] - item["asked"]
        return self._sums({currency: amount for currency, amount in rest.items() if amount > 0})

    def _statement(self, subject: Subject) -> tuple[list[dict[str, Any]], str]:
        """Everything open, due or not, credits against it."""
        tables, balances = [], []
        for action in subject.actions:
            currency = action["currency"]
            rows = self._account(action)
            cells = [
                [
                    row["document_no"],
                    self._short(row["issued_on"]),
                    self._short(row["due_on"]),
                    self.labels[_standing(row, subject.as_of)],
                    self._money(_signed(row), currency),
                ]
                for row in rows
            ]
            balance = self._money(sum(_signed(row) for row in rows), currency)
            balances.append(balance)
            columns = ["document", "issued", "due", "status", "open"]
            tables.append(_table(columns, cells, self.labels["total_open"], balance))
        return tables, joined(balances, self.labels["and"])

    def _may_be_for(self, subject: Subject) -> list[dict[str, str]]:
        """The oldest open invoices and debit notes of each currency in which money lies unallocated."""
        return [
            {
                "number": row["document_no"],
                "due": self._long(row["due_on"]),
                "open": self._money(row["open_amount"], action["currency"]),
            }
            for action in subject.actions
            for row in [each for each in self._account(action) if each["item_type"] not in CREDITS][:MOST_DOCUMENTS]
        ]

    def _received(self, subject: Subject) -> list[dict[str, str]]:
        """The payments that lie unallocated, of each currency."""
        return [
            {"amount": self._money(row["open_amount"], action["currency"]), "on": self._long(row["issued_on"])}
            for action in subject.actions
            for row in sorted(self._account(action), key=lambda row: (row["issued_on"], row["item_id"]))
            if row["item_type"] == ItemType.PAYMENT
        ]

    def _account(self, action: Row) -> list[Row]:
        """Everything that is open in the currency of an action's case."""
        return self._material.ledger.get((action["debtor_id"], action["currency"]), [])

    def _pay(self, subject: Subject, now: Mapping[str, int], reference: str) -> dict[str, Any]:
        """How to pay what is to be paid now, by currency."""
        creditor = subject.creditor
        documents = " ".join(item["document_no"] for item in subject.items)
        stated = f"{subject.customer.number} {documents}".strip()
        one = next(iter(now.items())) if len(now) == 1 else None
        link = creditor["payment_url"] or ""
        kind = self._look.reference or usual_reference(creditor["country"])
        checked = payment_reference(kind, subject.customer.number) if set(now) <= {"EUR"} else None
        return {
            "amount": "" if subject.step.kind is StepKind.STATEMENT else self._sums(now),
            "link": f"{link}{'&' if '?' in link else '?'}m={reference}" if link else "",
            "payee": creditor["name"],
            "iban": _grouped(creditor["iban"] or ""),
            "bic": creditor["bic"] or "",
            "reference": checked or (stated if len(stated) <= 70 else subject.customer.number),
            "currency": one[0] if one else "",
            "minor": one[1] if one else None,
        }

    def _plan(self, plan: Row, currency: str) -> dict[str, Any]:
        first = plan["instalments"][0]
        return {
            "count": len(plan["instalments"]),
            "total": self._money(plan["total"], currency),
            "first_amount": self._money(first["amount"], currency),
            "first_on": self._long(date.fromisoformat(first["due_on"])),
            "valid_until": self._long(plan["valid_until"]),
            "agreed": plan["state"] == PlanState.ACTIVE,
        }

    def _plan_table(self, plan: Row, currency: str) -> dict[str, Any]:
        rows = [
            [str(number), self._long(date.fromisoformat(each["due_on"])), self._money(each["amount"], currency)]
            for number, each in enumerate(plan["instalments"], start=1)
        ]
        total = self._money(plan["total"], currency)
        return _table(["instalment", "due", "amount"], rows, self.labels["total_plan"], total)

    def _promise(self, case_id: int, currency: str) -> dict[str, str] | None:
        promise = self._material.promises.get(case_id)
        if promise is None:
            return None
        return {
            "amount": self._money(promise["amount"], currency),
            "on": self._long(promise["promised_on"]),
            "open": promise["state"] == PromiseState.OPEN,
        }

    def _payment(self, action: Row) -> dict[str, str] | None:
        payment = self._material.payments.get((action["debtor_id"], action["currency"]))
        if payment is None:
            return None
        return {"amount": self._money(payment["amount"], action["currency"]), "on": self._long(payment["paid_on"])}

    def _debit(self, items: Sequence[Row]) -> dict[str, str] | None:
        returned = [item for item in items if item["returned_on"]]
        if not returned:
            return None
        last = max(returned, key=lambda item: item["returned_on"])
        return {
            "on": self._long(last["returned_on"]),
            "cause": str(RETURN_CAUSES.get(last["return_code"] or "", ReturnCause.OTHER)),
        }

    def _signatory(self, creditor: Row) -> dict[str, str]:
        given = self._look.signatory
        if given is not None:
            return {"name": given.name, "title": given.title, "phone": _unbroken(given.phone)}
        name = creditor["credit_manager"] or ""
        title = self.labels["credit_manager"] if name else ""
        return {"name": name, "title": title, "phone": _unbroken(creditor["phone"] or "")}

    def _sums(self, amounts: Mapping[str, int]) -> str:
        """Amounts by currency, as words."""
        return joined((self._money(amount, currency) for currency, amount in amounts.items()), self.labels["and"])

    def _money(self, minor: int, currency: str) -> str:
        return money(minor, currency, self.language, self._country)

    def _long(self, day: date) -> str:
        return long_date(day, self.language, self._country)

    def _short(self, day: date) -> str:
        return short_date(day, self.language, self._country)


def _standing(row: Row, as_of: date) -> str:
    if row["item_type"] in CREDITS:
        return "is_credit"
    if row["disputed"]:
        return "is_disputed"
    return "is_overdue" if add_working_days(row["due_on"], 0, BANK) < as_of else "is_due_later"


def _signed(row: Row) -> int:
    open_amount: int = row["open_amount"]
    return -open_amount if row["item_type"] in CREDITS else open_amount


def _table(columns: list[str], rows: list[list[str]], label: str, total: str) -> dict[str, Any]:
    return {
        "title": "",
        "columns": columns,
        "right": [name for name in columns if name in ("amount", "asked", "open")],
        "optional": [name for name in columns if name in ("issued", "amount")] if len(columns) > 3 else [],
        "rows": rows,
        "total_label": label,
        "total": total,
    }


def _unbroken(number: str) -> str:
    """A phone number in which no line breaks."""
    return number.replace(" ", "\N{NO-BREAK SPACE}")


def _grouped(iban: str) -> str:
    """An IBAN in groups of four, as people read it."""
    plain = iban.replace(" ", "")
    return " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def _footer(creditor: Row) -> list[str]:
    place = " ".join(part for part in (creditor["postal_code"], creditor["city"]) if part)
    return [
        part
        for part in (
            creditor["name"],
            ", ".join(part for part in (creditor["street"], place) if part),
            creditor["registration_no"],
            creditor["vat_no"],
            f"IBAN {_grouped(creditor['iban'])}" if creditor["iban"] else "",
        )
        if part
    ]
