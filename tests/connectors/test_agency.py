import csv
import json
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from connectors.agency import Dossier, build_agency
from connectors.agency.words import LABELS, in_words
from connectors.message import Enclosure
from connectors.outcome import Failed, Sent
from maatpak.kernel.ids import bytes_hash
from maatpak.kernel.settings import Settings


def dossier(**changes: Any) -> Dossier:
    given: dict[str, Any] = {
        "placement_ref": "G-17",
        "agency": "Incasso & Zn.",
        "placed_on": date(2026, 3, 11),
        "language": "nl",
        "country": "NL",
        "creditor": ("Zuidermeer Techniek B.V.", "Oudegracht 12", "3511 AB Utrecht"),
        "customer": {
            "city": "Maastricht",
            "contact": "Roos de Graaf",
            "country": "NL",
            "email": "administratie@heuvel-en-zonen-installatietechniek.example",
            "kind": "business",
            "name": "=Heuvel & Zonen",
            "number": "K-1001",
            "phone": "+31433216549",
            "postal_code": "6211 AB",
            "street": "Keizersgracht 123",
        },
        "currency": "EUR",
        "items": (
            {
                "document_no": "F-2041",
                "item_type": "invoice",
                "issued_on": "2025-12-01",
                "due_on": date(2025, 12, 31),
                "amount": 125000,
                "open_amount": 120000,
                "placed_amount": 120000,
            },
        ),
        "history": (
            {
                "on": "2026-01-07",
                "kind": "message",
                "channel": "email",
                "what": "second_notice",
                "result": "accepted, delivered",
                "evidence": "../../message 1.json",
            },
            {"on": date(2026, 1, 21), "kind": "call", "channel": "phone", "what": "morning", "result": "no_answer"},
        ),
        "approvals": (
            {"actor": "marit", "role": "credit_manager", "on": "2026-03-10", "reason": "=cmd|' /C calc'!A0"},
        ),
        "checks": (
            {
                "on": "2026-03-09",
                "check": "insolvency_register",
                "result": "fine",
                "until": "2026-03-23",
                "actor": "olga",
                "source": "=uittreksel 88",
            },
            {"on": "2026-03-11", "check": "credit", "result": "fine", "until": None, "actor": "", "source": ""},
        ),
        "evidence": (Enclosure("../../message 1.json", "application/json", b"{}"),),
    }
    return Dossier(**{**given, **changes})


def test_a_dossier_proves_itself(tmp_path: Path) -> None:
    port = build_agency(Settings(workspace=tmp_path), tmp_path)
    outcome = port.place(dossier())
    assert outcome == Sent("Incasso_Zn/G-17")
    folder = tmp_path / "agency" / "Incasso_Zn" / "G-17"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["amount"] == 120000
    present = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"manifest.json"}
    assert (
        present
        == manifest["files"].keys()
        == {
            "cover.pdf",
            "items.csv",
            "history.csv",
            "approvals.csv",
            "checks.csv",
            "evidence/001-message_1.json",
        }
    )
    for name, listed in manifest["files"].items():
        assert bytes_hash((folder / name).read_bytes()) == listed["sha256"]
    rows = list(csv.DictReader((folder / "items.csv").read_text("utf-8-sig").splitlines()))
    assert (rows[0]["document_no"], rows[0]["placed_amount"], rows[0]["currency"]) == ("F-2041", "1200.00", "EUR")
    assert len(list(csv.DictReader((folder / "history.csv").read_text("utf-8-sig").splitlines()))) == 2


def test_a_spreadsheet_runs_nothing_in_it(tmp_path: Path) -> None:
    build_agency(Settings(workspace=tmp_path), tmp_path).place(dossier())
    text = (tmp_path / "agency" / "Incasso_Zn" / "G-17" / "approvals.csv").read_text("utf-8-sig")
    assert "'=cmd" in text


def cover_of(tmp_path: Path, **changes: Any) -> str:
    """What the cover of a dossier says."""
    build_agency(Settings(workspace=tmp_path), tmp_path).place(dossier(**changes))
    page = PdfReader(BytesIO((tmp_path / "agency/Incasso_Zn/G-17/cover.pdf").read_bytes())).pages[0]
    return page.extract_text().replace("\xa0", " ")


def test_the_cover_says_who_what_and_what_was_done(tmp_path: Path) -> None:
    words = cover_of(tmp_path)
    for piece in ("Zuidermeer", "K-1001", "F-2041", "€ 1.200,00", "tweede herinnering", "geen gehoor", "marit"):
        assert piece in words, piece
    assert "second_notice" not in words


def test_the_cover_gives_the_customer_as_on_an_envelope_and_labels_the_rest(tmp_path: Path) -> None:
    lines = [line.strip() for line in cover_of(tmp_path).splitlines()]
    at = lines.index("=Heuvel & Zonen")
    assert lines[at : at + 4] == ["=Heuvel & Zonen", "Keizersgracht 123", "6211 AB Maastricht", "Nederland"]
    words = " ".join(lines)
    for piece in (
        "Klantnummer K-1001",
        "Soort klant bedrijf",
        "Contactpersoon Roos",
        "Telefoon +31433216549",
        "E-mail",
    ):
        assert piece in words, piece


@pytest.mark.parametrize(
    ("language", "pieces"),
    [
        ("en", ("Placement of a claim", "second notice", "no answer", "Netherlands")),
        (
            "de",
            ("Übergabe einer Forderung", "1.200,00 €", "zweite Zahlungserinnerung", "nicht erreicht", "Niederlande"),
        ),
        ("fr", ("Remise d’une créance", "1\u202f200,00 €", "second rappel", "pas de réponse", "Pays-Bas")),
    ],
)
def test_the_cover_is_written_in_the_language_of_the_creditor(
    tmp_path: Path, language: str, pieces: tuple[str, ...]
) -> None:
    words = cover_of(tmp_path, language=language)
    for piece in pieces:
        assert piece in words, piece


def test_every_language_has_every_word_of_the_cover() -> None:
    assert LABELS.keys() == {"en", "nl", "de", "fr"}
    assert {tuple(sorted(words)) for words in LABELS.values()} == {tuple(sorted(LABELS["en"]))}
    assert {in_words("final_demand", language) for language in LABELS} == {
        "final demand",
        "laatste aanmaning",
        "letzte Zahlungsaufforderung",
        "mise en demeure",
    }


def test_codes_that_no_list_has_are_made_readable(tmp_path: Path) -> None:
    odd = {"on": "2026-01-07", "kind": "message", "channel": "email", "what": "our_own_step", "result": "sent"}
    assert "our own step · sent" in cover_of(tmp_path, history=(odd,), language="es")


def test_the_history_names_the_files_of_the_dossier(tmp_path: Path) -> None:
    assert "evidence/001-message_1.json" in cover_of(tmp_path)
    text = (tmp_path / "agency" / "Incasso_Zn" / "G-17" / "history.csv").read_text("utf-8-sig")
    assert [row["evidence"] for row in csv.DictReader(text.splitlines())] == ["evidence/001-message_1.json", ""]


def test_the_cover_and_a_list_say_what_was_checked(tmp_path: Path) -> None:
    words = cover_of(tmp_path)
    for piece in ("Wat vooraf is nagegaan", "insolventieregister: in orde", "23 mrt 2026", "olga", "openstaand tegoed"):
        assert piece in words, piece
    text = (tmp_path / "agency" / "Incasso_Zn" / "G-17" / "checks.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["check"], row["until"], row["source"]) for row in rows] == [
        ("insolvency_register", "2026-03-23", "'=uittreksel 88"),
        ("credit", "", ""),
    ]


def test_the_same_placement_leaves_one_dossier(tmp_path: Path) -> None:
    port = build_agency(Settings(workspace=tmp_path), tmp_path)
    first = port.place(dossier())
    again = port.place(dossier(placed_on=date(2026, 3, 12)))
    assert first == again
    assert [path.name for path in (tmp_path / "agency" / "Incasso_Zn").iterdir()] == ["G-17"]


def test_a_folder_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "agency").write_text("")
    outcome = build_agency(Settings(workspace=tmp_path), tmp_path).place(dossier())
    assert isinstance(outcome, Failed)
    assert not outcome.permanent
