"""A source file: what it must say, and that every problem is told at once with its line."""

from pathlib import Path

import pytest

from connectors.ledgers.columns import FILE_COLUMNS, TABLES
from connectors.ledgers.source import LedgerSource
from connectors.ledgers.source_file import load_source, parse_source
from maatpak.kernel.errors import UsageError

SOURCES = Path(__file__).parents[2] / "sources"

ITEMS = """
name: books
mode: full
creditor: {code: ACME, name: Acme, country: "NO", language: "no", currency: NOK, time_zone: Europe/Oslo}
files:
  items:
    match: [items*.csv, open*.csv]
    columns:
      debtor_no: Account
      document_no: Document
      issued_on: Date
      due_on: Due
      amount: Amount
    defaults: {document_type: invoice, currency: NOK}
"""
PAYMENTS = """
  payments:
    match: pay*.csv
    columns: {paid_on: Date, amount: Paid}
    defaults: {currency: NOK}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(UsageError) as refused:
        parse_source("books.yaml", text)
    return list(refused.value.context["problems"])


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_sources_of_the_tests_hold(path: Path) -> None:
    assert load_source(path).name == path.stem


def test_yaml_reads_no_country_as_false() -> None:
    source = parse_source("books.yaml", ITEMS)
    (creditor,) = source.all_creditors
    assert not isinstance(creditor, str)
    assert (creditor.country, creditor.language, source.allowed_currencies) == ("NO", "no", ("NOK",))


def test_all_problems_are_told_at_once_with_their_lines() -> None:
    found = problems(
        """name: books
mode: full
creditor: ACME
files:
  items:
    columns:
      debtor_no: Account
      amunt: Amount
    values: {document_type: {RE: bill}}
    defaults: {currency: EUR, email: "{debtor}@x.example", kind: firm}
"""
    )
    assert found == [
        "books.yaml:5: files.items: 'amount' has neither column nor default",
        "books.yaml:5: files.items: 'country' has neither column nor default, but other debtor columns are given",
        "books.yaml:5: files.items: 'document_no' has neither column nor default",
        "books.yaml:5: files.items: 'document_type' has neither column nor default",
        "books.yaml:5: files.items: 'due_on' has neither column nor default",
        "books.yaml:5: files.items: 'issued_on' has neither column nor default",
        "books.yaml:5: files.items: 'language' has neither column nor default, but other debtor columns are given",
        "books.yaml:5: files.items: 'name' has neither column nor default, but other debtor columns are given",
        "books.yaml:8: files.items.columns: there is no canonical column 'amunt'; did you mean 'amount'?",
        "books.yaml:9: files.items.values.document_type: 'bill' is not one of the words for it",
        "books.yaml:10: files.items.defaults.email: the file gives no 'debtor' to build it from",
        "books.yaml:10: files.items.defaults.kind: 'firm' is not one of the words for it",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("mode: full", "mode: daily", "3: mode: Input should be 'full', 'delta' or 'history'"),
        ("currency: NOK}", "currency: NOX}", "'NOX' is no ISO 4217 currency code"),
        ("Europe/Oslo", "Europe/Oslo, bic: DNBA", "'DNBA' is no BIC of 8 or 11 signs"),
        ("Europe/Oslo", "Europe/Oslo, iban: NO9386011117948", "'NO9386011117948' is no IBAN"),
        ('country: "NO"', "country: XX", "'XX' is no ISO 3166 country code"),
        ("Europe/Oslo", "Europe/Olso", "'Europe/Olso' is no IANA time zone"),
        ("name: books", "nam: books", "2: nam: there is no such key; did you mean 'name'?"),
        ("name: books", "name: books\nname: books", "3: 'name' stands here twice; keep one"),
        ("mode: full", "mode: full\ndates: D/M", "'D/M' is no date format: it needs one year, one month and one day"),
        ("mode: full", "mode: full\ndates: DD.MM.JJJJ", "what is '.JJJJ'?"),
        ("mode: full", "mode: full\nnumbers: {decimal: '.', thousands: '.'}", "may not be the same sign"),
        ("mode: full", "mode: full\nbounds: {max_row_drop: -1}", "greater than or equal to 0"),
        ("mode: full", "mode: full\ncreditors: [B]", "give either `creditor` or `creditors`"),
        ("    defaults", "    fill_down: [name]\n    defaults", "'name' is no mapped column"),
        ("    defaults", "    total_row: {column: reference, value: T}\n    defaults", "only items have one"),
    ],
)
def test_a_wrong_value_is_told(old: str, new: str, told: str) -> None:
    assert told in "\n".join(problems(ITEMS.replace(old, new, 1)))


def test_the_advice_stands_on_its_own_line_and_names_a_page_that_is_there() -> None:
    with pytest.raises(UsageError) as refused:
        parse_source("books.yaml", ITEMS.replace("mode: full\n", ""))
    *_, last, advice = str(refused.value).splitlines()
    assert last.endswith("mode: is missing")
    assert advice == "`docs/sources.md` describes the format."
    assert (SOURCES.parents[1] / "docs" / "sources.md").exists()


def test_a_default_is_built_from_columns_that_are_not_built_themselves() -> None:
    text = ITEMS.replace("currency: NOK}\n", 'currency: NOK, reference: "{po_number}", po_number: "{document_no}"}\n')
    assert "'po_number' is itself built from others" in "\n".join(problems(text))


def test_a_file_is_known_by_its_name() -> None:
    source = parse_source("books.yaml", ITEMS + PAYMENTS)
    assert [source.role_of(name) for name in ("items_1.csv", "open.csv", "payments.csv")] == [
        "items", "items", "payments",
    ]  # fmt: skip
    with pytest.raises(UsageError, match="matches no kind of file"):
        source.role_of("customers.csv")


def test_several_kinds_of_file_need_patterns() -> None:
    assert "`match` is missing" in "\n".join(problems(ITEMS + PAYMENTS.replace("    match: pay*.csv\n", "")))


def test_another_mapping_is_another_content() -> None:
    one = parse_source("books.yaml", ITEMS)
    assert one.content_hash == parse_source("books.yaml", ITEMS).content_hash
    assert one.content_hash != parse_source("books.yaml", ITEMS.replace("Due", "Date2")).content_hash


def test_a_source_survives_the_evidence_store() -> None:
    one = load_source(SOURCES / "instalments.yaml")
    again = LedgerSource.model_validate_json(one.model_dump_json())
    assert again.content_hash == one.content_hash


def test_debtor_columns_come_from_one_file() -> None:
    both = ITEMS.replace("Amount\n", "Amount\n      name: Name\n") + (
        "\n  debtors:\n    match: d*.csv\n    columns: {debtor_no: A, name: B}\n"
        "    defaults: {kind: business, country: NL, language: nl}\n"
    )
    assert "'name' is a column of the debtors, who have a file of their own" in "\n".join(problems(both))


def test_the_canonical_columns_of_the_design_are_there() -> None:
    items = {
        *("creditor", "debtor_no", "document_no", "document_type", "issued_on", "due_on", "currency", "amount"),
        *("open_amount", "settled_on", "disputed", "reference", "payment_method", "collect_on", "returned_on"),
        *("return_code", "settled_by", "disputed_amount", "disputed_on", "dispute_outcome", "po_number"),
        *("invoice_sent_on", "invoice_channel", "document_path"),
        *("ordered_on", "delivered_on", "approved_on"),
    }
    debtors = {
        *("party_ref", "name", "kind", "country", "language", "email", "phone", "street", "postal_code", "city"),
        *("contact_name", "time_zone", "preferred_channel", "account_manager", "parent", "customer_since"),
        *("key_account", "revenue_12m", "payment_terms", "credit_limit", "risk_class", "insured_amount"),
        *("insurer_notify_by", "payer_no", "hardship_until", "legal_stop"),
    }
    assert items == set(TABLES["items"])
    assert debtors | {"creditor", "debtor_no"} == set(TABLES["debtors"])
    assert debtors < set(FILE_COLUMNS["items"])
