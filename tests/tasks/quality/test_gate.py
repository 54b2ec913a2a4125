"""The gate: two engines, one table of rules, and the same rows by both."""

import random
from datetime import date

import polars as pl
import pytest

from connectors.ledgers.canonical import Mapped, map_files
from connectors.ledgers.delimited import read_delimited
from connectors.ledgers.source import Role
from connectors.ledgers.source_file import parse_source
from maatpak.kernel.errors import MaatpakError
from maatpak.kernel.words import Severity
from tasks.intake.known import ITEMS
from tasks.intake.sifting import Sieve
from tasks.quality.checks import AtMost, Check, Holds, Listed, NotAbove, Present, Rule
from tasks.quality.common_rules import Import
from tasks.quality.expectations import Judge, Judgement
from tasks.quality.file_rules import FileMeasures
from tasks.quality.gate import Gate
from tasks.quality.item_measures import KnownItems

SOURCE = """
name: messy
mode: full
creditor: {code: ACME, name: Acme, country: NL, language: nl, currency: EUR, time_zone: Europe/Amsterdam}
currencies: [EUR, GBP]
files:
  items:
    match: i*
    columns: {debtor_no: a, document_no: b, document_type: c, issued_on: d, due_on: e, currency: f, amount: g,
              open_amount: h, settled_on: i, disputed: j, disputed_amount: k, reference: l}
  debtors:
    match: d*
    columns: {debtor_no: a, name: b, kind: c, country: d, language: e, email: f, phone: g, street: h, city: i,
              credit_limit: j, key_account: k}
  payments:
    match: p*
    columns: {payment_no: a, document_no: b, debtor_no: c, paid_on: d, currency: e, amount: f}
  contacts:
    match: c*
    columns: {debtor_no: a, name: b, role: c, email: d}
  tickets:
    match: t*
    columns: {debtor_no: a, ticket_no: b, kind: c, opened_on: d}
"""
AS_OF = date(2026, 3, 2)
DATES = ["2026-01-05", "2026-02-04", "2026-03-02", "2026-03-20", "2026-08-01", "2030-12-31", "", "05-01-2026", "soon"]
AMOUNTS = ["100.00", "50.00", "0", "-40.00", "1e5", "", "10.999", "99999999999999999", "100.00", "100.00"]
TEXTS = ["fine", "fine", "", "CafÃ©", "=A1", "#REF!"]
POOLS: dict[Role, list[list[str]]] = {
    "debtors": [
        ["00001", "00002", "00003", "00004", "", "5", "C6"],
        ["One", "Uno", "", "CafÃ©", "Four"],
        ["business", "consumer", "firm", ""],
        ["NL", "BE", "Holland", ""],
        ["nl", "dutch", ""],
        ["a@b.example", "nobody", ""],
        ["+31 20 555 0100", "n/a", ""],
        ["Street 1", ""],
        ["Town", ""],
        AMOUNTS,
        ["yes", "no", "perhaps", ""],
    ],
    "items": [
        ["00001", "00002", "1", "00009", "", "C6"],
        ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "", "K1", "K2", "K3", "2.025E+08"],
        ["invoice", "credit_note", "bill", ""],
        [*DATES, *["2026-01-05"] * 20],
        [*DATES, *["2026-02-04"] * 20],
        ["EUR", "GBP", "USD", "", "EUR"],
        AMOUNTS,
        AMOUNTS,
        [*DATES, *[""] * 20],
        ["yes", "no", "perhaps", ""],
        AMOUNTS,
        TEXTS,
    ],
    "payments": [
        ["P1", "P2", "P3", "P4", "P5", "", "K9"],
        ["F1", "F2", "F3", "K1", "nowhere", ""],
        ["00001", "00002", "00009", "", ""],
        DATES,
        ["EUR", "GBP", "USD", ""],
        AMOUNTS,
    ],
    "contacts": [
        ["00001", "00002", "00009", ""],
        ["Jo", "Bo", ""],
        ["payables", "invoice", "boss", ""],
        ["", "jo@c.example"],
    ],
    "tickets": [["00001", "00009", ""], ["T1", "T2", ""], ["complaint", "query"], DATES],
}
LONG = "long " * 60
CLEAN: dict[Role, list[str]] = {
    "debtors": [
        f"{told},business,NL,nl,a@b.example,+31 20 555 0100,Street 1,Town,5.00,no"
        for told in ("00001,One", "00020,Twenty", "00020,Twenty", "00021,Ann", "00021,Anne", "2,Two", f"00022,{LONG}")
    ],
    "items": ["00001,F1,invoice,2026-01-05,2026-02-04,EUR,100.00,100.00,,no,,fine"] * 2
    + [f"00001,G{number},invoice,2026-01-05,2026-02-04,EUR,100.00,100.00,,no,,fine" for number in range(900)]
    + ["00001,G901,invoice,2026-05-01,2026-02-04,EUR,100.00,100.00,,no,,fine"]
    + ["00001,G902,invoice,2026-01-05,2026-02-04,EUR,999999999.00,100.00,,no,,fine"]
    + ["00001,G1,invoice,2025-01-05,2025-02-04,EUR,100.00,100.00,,no,,fine"]
    + ["00001,K1,invoice,2026-01-05,2026-02-04,EUR,70.00,70.00,,no,,fine"]
    + ["00001,K2,invoice,2026-01-05,2026-02-04,EUR,70.00,70.00,,no,,fine"]
    + ["00001,K3,invoice,2026-01-05,2026-02-04,EUR,70.00,70.00,,no,,fine"]
    + ["00001,K4,invoice,2026-01-05,2026-02-04,GBP,70.00,70.00,,no,,fine"]
    + ["00001,R1,invoice,2026-01-05,2026-02-04,EUR,70.00,70.00,,no,,fine"] * 2
    + [f"00001,L1,invoice,2026-01-05,2026-02-04,EUR,70.00,70.00,,no,,{LONG}"]
    + ["00001,M1,invoice,,2026-02-04,EUR,70.00,70.00,,no,,fine"]
    + ["00001,T1,invoice,2026-01-05,2030-12-31,EUR,70.00,70.00,,no,,fine"]
    + ["00001,S1,invoice,2026-01-05,2026-02-04,EUR,70.00,0.00,2025-12-01,no,,fine"],
    "payments": [
        f"{told},,2026-02-01,EUR,{amount}.00"
        for told, amount in (
            ("P9,F1", 5),
            ("P9,F1", 5),
            ("K9,F1", 6),
            ("P20,X2", 5),
            ("#REF!,F1", 5),
            (f"{LONG},F1", 5),
        )
    ],
    "contacts": [
        f"00001,{told}"
        for told in ("Ed,payables,", "Ed,payables,", "Al,payables,al@c.example", "Al,payables,al@d.example")
    ]
    + ["00001,#REF!,payables,", f"00001,{LONG},payables,"],
    "tickets": [f"00001,{told},2026-01-05" for told in ("T9,query", "T9,query", "T5,", "#REF!,query", f"{LONG},query")],
}


def known() -> KnownItems:
    rows = [
        ("00001", "K1", date(2026, 1, 5), 8_000, "EUR"),
        ("00002", "K2", date(2026, 1, 5), 7_000, "EUR"),
        ("00001", "K3", date(2026, 1, 6), 7_000, "EUR"),
        ("00001", "K4", date(2026, 1, 5), 7_000, "EUR"),
        ("00001", "X2", date(2026, 1, 5), 7_000, "EUR"),
        ("00002", "X2", date(2026, 1, 5), 7_000, "EUR"),
    ]
    data = [
        (number, number, debtor, "invoice", document, issued, currency, amount, amount, 0, None, "messy")
        for number, (debtor, document, issued, amount, currency) in enumerate(rows)
    ]
    return KnownItems(pl.DataFrame(data, schema=ITEMS, orient="row"))


def known_payments(payments: pl.DataFrame) -> pl.DataFrame:
    schema = {"payment_no": pl.String, "known_amount": pl.Int64, "known_on": pl.Date}
    earlier = pl.DataFrame([("K9", 1, date(2026, 2, 1))], schema=schema, orient="row")
    return earlier.join(payments.select("payment_no").unique(), on="payment_no", how="semi")


def tables(seed: int) -> dict[Role, Mapped]:
    source = parse_source("messy.yaml", SOURCE)
    generator, mapped = random.Random(seed), {}
    for role, pools in POOLS.items():
        lines = [",".join(generator.choice(pool) for pool in pools) for _ in range(60)]
        spec = getattr(source.files, role)
        header = ",".join(spec.columns.values())
        text = "\n".join([header, *CLEAN[role], *lines, "too,few" if len(pools) != 2 else "x", lines[0]])
        mapped[role] = map_files(source, role, [read_delimited(f"{role}.csv", text.encode(), spec)])
    return mapped


def sift(gate: Gate, seed: int) -> Sieve:
    source = parse_source("messy.yaml", SOURCE)
    about = Import(source, AS_OF, "EUR", source.allowed_currencies)
    debtors = pl.Series("debtor_no", ["00001", "00002"])
    sieve = Sieve(gate, about, FileMeasures(), known(), debtors, known_payments)
    sieve.sift(tables(seed))
    return sieve


@pytest.mark.parametrize("seed", [1, 2])
def test_both_engines_find_the_same_rows_of_every_rule(seed: int) -> None:
    judge = Judge()
    gate = Gate(judge)
    sieve = sift(gate, seed)  # raises where they differ
    judged = set(gate.severities)
    # The file with lost ends and the workbook with formulas have tests of their own.
    silent = {key for key in judged if key not in gate.counts and not key.endswith(("row_cut_off", "formula"))}
    assert not silent
    assert len(judged) > 60
    assert sieve.sifted.set_apart().height + sum(frame.height for frame in sieve.sifted.accepted.values()) > 0
    judge.close()


def test_a_finding_has_row_column_value_rule_and_advice() -> None:
    judge = Judge()
    gate = Gate(judge)
    sift(gate, 1)
    found = gate.found()
    assert found.select("severity", "rule", "table_name", "file", "column_name", "message", "advice").null_count().row(
        0
    ) == (0,) * 7  # fmt: skip
    assert found["row_no"].null_count() == 0
    first = found.filter((pl.col("rule") == "due_before_issued") & (pl.col("table_name") == "items")).row(0, named=True)
    assert (first["severity"], first["file"], first["column_name"]) == ("warn", "items.csv", "due_on")
    severities = found["severity"].to_list()
    assert severities == sorted(severities, key=list(Severity).index)
    judge.close()


def test_a_cell_that_cannot_be_read_is_not_missing_as_well() -> None:
    judge = Judge()
    gate = Gate(judge)
    sift(gate, 1)
    cells = gate.found().group_by("table_name", "file", "row_no", "column_name").agg(pl.col("rule").sort())
    told = {tuple(rules) for rules in cells["rule"] if any(rule.endswith("_missing") for rule in rules)}
    assert {("amount_missing",), ("issued_missing",), ("type_missing",)} <= told
    unread_too = [rules for rules in told if len(rules) > 1]
    assert unread_too == []
    unread = set(gate.found().filter(pl.col("rule").str.ends_with("_unreadable"))["column_name"])
    assert {"amount", "issued_on", "due_on"} <= unread
    judge.close()


CHECKS: dict[str, tuple[Check, list[object], list[bool]]] = {
    "present": (Present(pl.col("x")), [1, None, 0], [False, True, False]),
    "holds": (Holds(pl.col("x") > 1), [1, None, 2], [True, False, False]),
    "at most": (AtMost(pl.col("x"), 2), [3, None, 2], [True, False, False]),
    "listed": (Listed(pl.col("x"), ["a"]), ["b", None, "a"], [True, False, False]),
    "not above": (NotAbove(pl.col("x"), pl.lit(2)), [3, None, 2], [True, False, False]),
}


@pytest.mark.parametrize("name", CHECKS)
def test_each_form_of_rule_breaches_the_same_rows_in_both_engines(name: str) -> None:
    check, values, expected = CHECKS[name]
    frame = pl.DataFrame({"file": ["f"] * 3, "row_no": [1, 2, 3], "x": values})
    rule = Rule("code", "items", "x", Severity.WARN, check, "It is wrong.", "Mend it.")
    judge = Judge()
    flags = Gate(judge).pass_table("items", frame, [rule])
    assert flags["x code"].to_list() == expected
    assert b"warn: items x code" in judge.page()
    judge.close()


class Liar(Judge):
    """Great Expectations as it never was: it finds nothing."""

    def judge(self, table: str, measures: pl.DataFrame, rules: object) -> dict[str, Judgement]:
        del table, measures
        assert isinstance(rules, list)
        return {rule.key: Judgement(success=True, count=0) for rule in rules}


def test_a_gate_that_contradicts_itself_lets_nothing_through() -> None:
    frame = pl.DataFrame({"file": ["f"], "row_no": [1], "x": [None]}, schema_overrides={"x": pl.Int64})
    rule = Rule("code", "items", "x", Severity.WARN, Present(pl.col("x")), "It is wrong.", "Mend it.")
    with pytest.raises(MaatpakError, match="1 rows, but Great Expectations says 0"):
        Gate(Liar()).pass_table("items", frame, [rule])


def test_the_page_calls_nobody_and_holds_no_values() -> None:
    judge = Judge()
    sift(Gate(judge), 1)
    page = judge.page().decode()
    assert "Validation Results" in page or "Evaluated" in page or "Expectation" in page
    for outside in ("http://", "https://", "<script", "<link"):
        assert outside not in page
    assert "a@b.example" not in page
    assert "quarantine: items due_on due_missing" in page
    judge.close()


def test_a_waived_rule_holds_nobody_up() -> None:
    frame = pl.DataFrame({"file": ["f"] * 2, "row_no": [1, 2], "x": [9, 9], "waived": [",code,", None]})
    judge = Judge()
    waivable = Rule("code", "items", "x", Severity.QUARANTINE, AtMost(pl.col("x"), 2), "Odd.", "Look.", waivable=True)
    strict = Rule("code", "items", "y", Severity.QUARANTINE, AtMost(pl.col("x"), 2), "Odd.", "Look.")
    flags = Gate(judge).pass_table("items", frame, [waivable, strict])
    assert flags["x code"].to_list() == [False, True]
    assert flags["y code"].to_list() == [True, True]
    judge.close()
