"""What figures are made of and no other room lists: items, write-offs, promises, rounds, answers, wrong contacts."""

from maatpak.console.frame.declared import Column, Filter, Listing, Room, Shape, one_of
from maatpak.console.frame.fields import named
from maatpak.console.rooms.whose import CASE, customer_of, named_by
from maatpak.kernel.words import PromiseState, Stage
from maatpak.ledger.literals import words
from tasks.figures.queries import AGAIN_WITHIN, PERIOD, WRITE_OFF_MONTHS, YEAR

OF_ITEM = "item_version v JOIN creditor c ON c.id = v.creditor_id"
"""The rest is looked up for the rows that are shown only, after they are sorted."""
NUMBER = "(SELECT d.debtor_no FROM debtor d WHERE d.id = v.debtor_id)"
NAME = "(SELECT p.name FROM debtor_profile p WHERE p.debtor_id = v.debtor_id AND p.replaced_at IS NULL)"
CASE_ID = '(SELECT k.id FROM "case" k WHERE k.debtor_id = v.debtor_id AND k.currency = v.currency)'
SEGMENT = "(SELECT s.segment FROM case_standing s WHERE s.debtor_id = v.debtor_id AND s.currency = v.currency)"
WHO_OWES = (
    Column("name", "Customer", f"COALESCE({NAME}, {NUMBER})", link=CASE),
    Column("debtor_no", "Number", NUMBER),
    Column("creditor", "Creditor", "c.code"),
)
SEGMENTS = Filter(
    "segment",
    "Segment",
    """(v.debtor_id, v.currency) IN (SELECT s.debtor_id, s.currency FROM case_standing s WHERE s.segment = :value
      AND s.creditor_id = v.creditor_id) AND v.creditor_id = ANY(ARRAY(SELECT b.id FROM creditor b
      WHERE EXISTS (SELECT FROM case_standing x WHERE x.creditor_id = b.id AND x.segment = :value)))""",
)
"""Creditors without any customer in it are left out before their items are looked through."""
CURRENCY = "v.currency = :value"


EVER = 36_500
"""Days. A bound that nothing lies beyond, for the database expects little between two bounds, and much beyond one."""


def _past_due(more_than: int | None, at_most: int | None = None) -> str:
    """Items by their days past due. The bounds of all creditors stand beside each one's own: the index begins there."""
    bounds = []
    if more_than is not None:
        newest = "(SELECT max(b.business_date) FROM creditor b)"
        bounds += [f"v.due_on < {day} - {more_than}" for day in ("c.business_date", newest)]
    if at_most is not None:
        oldest = "(SELECT min(b.business_date) FROM creditor b)"
        bounds += [f"v.due_on >= {day} - {at_most}" for day in ("c.business_date", oldest)]
    return " AND ".join(bounds)


AGES = {
    "current": ("Not yet due", _past_due(None, 0)),
    "1-30": ("1 to 30 days", _past_due(0, 30)),
    "31-60": ("31 to 60 days", _past_due(30, 60)),
    "61-90": ("61 to 90 days", _past_due(60, 90)),
    "90+": ("More than 90 days", _past_due(90, EVER)),
}
"""The buckets of the figures (tasks.figures.formulas)."""
TYPES = {
    "claims": ("Invoices and debit notes", "v.item_type IN ('invoice', 'debit_note')"),
    "credit_note": ("Credit notes", "v.item_type = 'credit_note'"),
    "payment": ("Unallocated payments", "v.item_type = 'payment'"),
}


def _yes_no(key: str, title: str, yes: str, no: str) -> Filter:
    return one_of(key, title, {"yes": ("Yes", yes), "no": ("No", no)})


ITEMS = Listing(
    path="/items",
    title="Open items",
    help="What is open in the ledger as it was last taken in, the oldest first; search by customer number.",
    source=OF_ITEM,
    columns=(
        *WHO_OWES,
        Column("document_no", "Document", "v.document_no"),
        Column("item_type", "Kind", "v.item_type", Shape.CODE, shown=False),
        Column("issued_on", "Issued", "v.issued_on", Shape.DATE, shown=False),
        Column("due_on", "Due", "v.due_on", Shape.DATE, sorts=True),
        Column("days", "Days late", "GREATEST(c.business_date - v.due_on, 0)", Shape.NUMBER),
        Column("open_amount", "Open", "v.open_amount", Shape.MONEY, sorts=True),
        Column("amount", "Of", "v.amount", Shape.MONEY, shown=False),
        Column("disputed_amount", "Disputed", "NULLIF(v.disputed_amount, 0)", Shape.MONEY),
        Column("segment", "Segment", SEGMENT, Shape.CODE),
        Column("currency", "Currency", "v.currency", shown=False),
        Column("item_id", "Item number", "v.item_id", Shape.NUMBER, shown=False),
        Column("case_id", "Case", CASE_ID, Shape.NUMBER, shown=False),
    ),
    key="v.item_id",
    order="due_on",
    creditor="v.creditor_id",
    where="v.replaced_at IS NULL AND v.open_amount > 0",
    filters=(
        one_of("type", "What", TYPES, default="claims"),
        _yes_no("overdue", "Overdue", _past_due(0), _past_due(None, 0)),
        one_of("bucket", "Age", AGES),
        SEGMENTS,
        Filter("currency", "Currency", CURRENCY),
    ),
    search="v.debtor_id = ANY(ARRAY(SELECT y.id FROM debtor y WHERE y.debtor_no = :words))",
    totals=("open_amount",),
    empty="Nothing open fits.",
)  # fmt: skip

WRITE_OFFS = Listing(
    path="/write-offs",
    title="Write-offs",
    help=f"Items that the ledger wrote off in the last {WRITE_OFF_MONTHS} months, the newest first.",
    source=OF_ITEM,
    columns=(
        *WHO_OWES,
        Column("document_no", "Document", "v.document_no"),
        Column("issued_on", "Issued", "v.issued_on", Shape.DATE),
        Column("due_on", "Due", "v.due_on", Shape.DATE),
        Column("settled_on", "Written off", "v.settled_on", Shape.DATE, sorts=True),
        Column("amount", "Invoiced", "v.amount", Shape.MONEY),
        Column(
            "written_off",
            "Open then",
            "COALESCE((SELECT o.open_amount FROM item_version o WHERE o.debtor_id = v.debtor_id"
            " AND o.item_id = v.item_id AND o.id < v.id AND o.open_amount > 0 ORDER BY o.id DESC LIMIT 1), v.amount)",
            Shape.MONEY,
        ),
        Column("currency", "Currency", "v.currency", shown=False),
        Column("case_id", "Case", CASE_ID, Shape.NUMBER, shown=False),
    ),
    key="v.item_id",
    order="-settled_on",
    creditor="v.creditor_id",
    where=f"v.replaced_at IS NULL AND v.settled_by = 'write_off' AND v.item_type IN ('invoice', 'debit_note')"
    f" AND v.settled_on > c.business_date - interval '{WRITE_OFF_MONTHS} months'",
    filters=(
        Filter("month", "Month", "to_char(v.settled_on, 'YYYY-MM') = :value"),
        Filter("currency", "Currency", CURRENCY),
    ),
    totals=("written_off",),
    empty="Nothing was written off.",
)

PROMISES = Listing(
    path="/promises",
    title="Promises to pay",
    help="What customers promised, the latest date first, and whether they kept it.",
    source='promise q JOIN "case" k ON k.id = q.case_id',
    beside=customer_of("k.debtor_id"),
    columns=(
        *named_by(),
        Column("promised_on", "By", "q.promised_on", Shape.DATE, sorts=True),
        Column("amount", "Promised", "q.amount", Shape.MONEY),
        Column("received", "Received", "q.received", Shape.MONEY),
        Column("state", "State", "q.state", Shape.CODE),
        Column("made_on", "Made on", "q.made_on", Shape.DATE),
        Column("source", "How", "q.source", Shape.CODE),
        Column("promise_no", "Promise", "q.promise_no", shown=False),
        Column("currency", "Currency", "k.currency", shown=False),
        Column("case_id", "Case", "q.case_id", Shape.NUMBER, shown=False),
    ),
    key="q.id",
    order="-promised_on",
    creditor="k.creditor_id",
    where="q.replaced_at IS NULL",
    filters=(
        Filter("state", "State", "q.state = :value", choices=named(PromiseState)),
        one_of(
            "due",
            "Fell due",
            {
                "90": (
                    "In the last 90 days, kept or not",
                    f"q.promised_on > c.business_date - {PERIOD} AND q.promised_on <= c.business_date"
                    " AND q.state IN ('kept', 'partly_kept', 'broken')",
                )
            },
        ),
        Filter("currency", "Currency", "k.currency = :value"),
    ),
    totals=("amount",),
    empty="No promise fits.",
)

HARSHEST = f"""LEFT JOIN LATERAL (SELECT a.stage, a.step FROM action a
  WHERE a.case_id = r.case_id AND a.round_id = r.id AND a.state = 'executed'
  ORDER BY array_position({words(Stage)}, a.stage) DESC, a.executed_on DESC, a.id DESC LIMIT 1) h ON true"""  # noqa: S608 - our own words
AGAIN = f"""EXISTS (SELECT FROM item i WHERE i.creditor_id = k.creditor_id AND i.debtor_id = k.debtor_id
  AND i.item_type = 'invoice' AND i.issued_on > r.closed_on AND i.issued_on <= r.closed_on + {AGAIN_WITHIN})"""

ROUNDS = Listing(
    path="/rounds",
    title="Closed rounds",
    help=f"Rounds whose items are settled, how far they went, and whether the customer bought again in {AGAIN_WITHIN}"
    " days.",
    source='round r JOIN "case" k ON k.id = r.case_id',
    beside=(
        *customer_of("k.debtor_id"),
        "LEFT JOIN round_course o ON o.round_id = r.id AND o.replaced_at IS NULL",
        HARSHEST,
    ),
    columns=(
        *named_by(),
        Column("number", "Round", "r.number", Shape.NUMBER),
        Column("segment", "Segment", "o.segment", Shape.CODE),
        Column("opened_on", "Opened", "r.opened_on", Shape.DATE),
        Column("closed_on", "Closed", "r.closed_on", Shape.DATE, sorts=True),
        Column("stage", "Went as far as", "COALESCE(h.stage, 'none')", Shape.CODE),
        Column("step", "Harshest step", "COALESCE(h.step, 'none')", Shape.CODE),
        Column("again", "Bought again", AGAIN, Shape.FLAG),
        Column("case_id", "Case", "r.case_id", Shape.NUMBER, shown=False),
    ),
    key="r.id",
    order="-closed_on",
    creditor="k.creditor_id",
    where="r.closed_on IS NOT NULL",
    filters=(
        one_of("closed", "Closed", {"yes": ("90 to 365 days ago", f"r.closed_on > c.business_date - {YEAR}"
               f" AND r.closed_on <= c.business_date - {AGAIN_WITHIN}")}),
        Filter("segment", "Segment", "COALESCE(o.segment, 'none') = :value"),
        Filter("stage", "Went as far as", "COALESCE(h.stage, 'none') = :value",
               choices=named(("none", *Stage))),
        Filter("step", "Harshest step", "COALESCE(h.step, 'none') = :value"),
        _yes_no("again", "Bought again", AGAIN, f"NOT {AGAIN}"),
    ),
    empty="No round fits.",
)  # fmt: skip

ANSWERS = Listing(
    path="/answers/all",
    title="Answers",
    help="What customers wrote, the newest first. Until somebody has read it nothing more is written to them.",
    source="answer q",
    beside=customer_of("q.debtor_id"),
    columns=(
        *named_by(),
        Column("received_on", "Received", "q.received_on", Shape.DATE, sorts=True),
        Column("channel", "By", "q.channel", Shape.CODE),
        Column("read_on", "Read", "q.read_on", Shape.DATE),
        Column("read_by", "By whom", "q.read_by"),
        Column("message", "To the message", "q.message_id", Shape.NUMBER, link="/messages/{message}"),
        Column("answer_no", "Answer", "q.answer_no", shown=False),
        Column("case_id", "Case", "q.case_id", Shape.NUMBER, shown=False),
    ),
    key="q.id",
    order="-received_on",
    creditor="q.creditor_id",
    where="q.replaced_at IS NULL",
    filters=(
        _yes_no("read", "Read", "q.read_on IS NOT NULL", "q.read_on IS NULL"),
        one_of("received", "Received", {"90": ("In the last 90 days", f"q.received_on > c.business_date - {PERIOD}")}),
    ),
    empty="No answer fits.",
)

WRONGFUL = Listing(
    path="/wrongful-contacts",
    title="Wrongful contacts",
    help="Letters and placements that what we learned later speaks against. We apologise within a working day.",
    source='touch t JOIN "case" k ON k.id = t.case_id',
    beside=customer_of("k.debtor_id"),
    columns=(
        *named_by(),
        Column("touched_on", "On", "t.touched_on", Shape.DATE, sorts=True),
        Column("kind", "What", "t.kind", Shape.CODE),
        Column("cause", "Why it was wrong", "t.cause", Shape.CODE),
        Column("record_no", "Record", "t.record_no", shown=False),
        Column("case_id", "Case", "t.case_id", Shape.NUMBER, shown=False),
    ),
    key="t.id",
    order="-touched_on",
    creditor="t.creditor_id",
    where="t.wrongful",
    filters=(
        one_of(
            "since",
            "When",
            {
                "90": (
                    "In the last 90 days",
                    f"t.touched_on > c.business_date - {PERIOD} AND t.touched_on <= c.business_date",
                )
            },
        ),
    ),
    empty="No contact was wrong.",
)

ITEM_LISTS = Room(
    name="items",
    title="Items and records",
    path="/items",
    listings=(ITEMS, WRITE_OFFS, PROMISES, ROUNDS, ANSWERS, WRONGFUL),
    in_menu=False,
)
