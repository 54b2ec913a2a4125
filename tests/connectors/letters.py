"""Messages to try the connectors with."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors.message import Correspondent, Outgoing
from maatpak.kernel.words import Channel

WRITTEN = datetime(2026, 3, 11, 10, tzinfo=UTC)
LABELS = {
    "document": "Document",
    "issued": "Datum",
    "due": "Vervaldatum",
    "asked": "Te betalen",
    "page": "Pagina",
    "page_of": "van",
    "our_reference": "Ons kenmerk",
    "scan": "Scan om te betalen",
}


def mail(number: int = 1, to: str = "jan@klant.example", **changes: Any) -> Outgoing:
    """An e-mail in Dutch with everything that needs encoding."""
    made = Outgoing(
        message_ref=f"{number:032x}@zuidermeer.example",
        channel=Channel.EMAIL,
        language="nl",
        sender=Correspondent("Zuidermeer Techniek B.V.", email="debiteuren@zuidermeer.example"),
        recipient=Correspondent("Zoë Öztürk", email=to),
        subject="Herinnering: factuur F-2041, € 1.250,00, en een onderwerp dat langer is dan één regel van een kop",
        text="Beste Zoë,\n\n.een punt vooraan, en € 1.250,00\n.\n" + "lang " * 60 + "\n",
        html="<p>Beste Zoë, <b>€&nbsp;1.250,00</b></p>",
        written_at=WRITTEN,
        reply_to="debiteuren@zuidermeer.example",
        in_reply_to="eerder@zuidermeer.example",
        references=("eerste@zuidermeer.example", "eerder@zuidermeer.example"),
    )
    return replace(made, **changes)


def text(number: str = "+31612345678", words: str = "Zuidermeer: factuur F-2041, € 1.250,00.") -> Outgoing:
    """A text message."""
    return mail(
        channel=Channel.SMS,
        recipient=Correspondent("Zoë", phone=number),
        text=words,
        html=None,
        subject="",
    )


def letter(number: int = 1, rows: int = 3, lines: tuple[str, ...] | None = None, **pay: Any) -> Outgoing:
    """A letter with a table, a payment box and a signature."""
    table = {
        "title": "",
        "columns": ["document", "issued", "due", "asked"],
        "right": ["asked"],
        "optional": ["issued"],
        "rows": [[f"F-{2041 + at}", "3 mrt 2026", "2 apr 2026", "€ 1.250,00"] for at in range(rows)],
        "total_label": "Totaal te betalen",
        "total": "€ 1.250,00",
    }
    paying = {
        "payee": "Zuidermeer Techniek B.V.",
        "iban": "NL91 ABNA 0417 1643 00",
        "bic": "ABNANL2A",
        "reference": "K-1001 F-2041",
        "link": "https://betalen.zuidermeer.example/?m=1",
        "currency": "EUR",
        "minor": 125000,
        **pay,
    }
    words = {
        "subject": "Herinnering: factuur F-2041",
        "blocks": [
            {"kind": "paragraph", "lines": [[["Beste mevrouw De Vries,", False]]]},
            {"kind": "items", "lines": []},
            {"kind": "pay", "lines": []},
            {"kind": "list", "lines": [[["Betaal", True], [", met de gegevens hierboven.", False]]]},
            {"kind": "paragraph", "lines": [[["Met vriendelijke groet,", False]]]},
            {"kind": "sign", "lines": []},
        ],
        "labels": LABELS,
        "tables": [table],
        "plan_tables": [],
        "pay": paying,
        "pay_lines": [["IBAN", paying["iban"]]],
        "signature": ["Marit de Boer", "Zuidermeer Techniek B.V."],
        "look": {"colour": "#1f4e79", "footer": ["Zuidermeer Techniek B.V.", "Utrecht"]},
        "logo": "",
        "reference": "0123456789",
        "particulars": [["Ons kenmerk", "0123456789"]],
    }
    return mail(
        number,
        channel=Channel.POST,
        sender=Correspondent(
            "Zuidermeer Techniek B.V.", lines=("Zuidermeer Techniek B.V.", "Oudegracht 12", "3511 AB Utrecht")
        ),
        recipient=Correspondent(
            "Van den Heuvel",
            lines=lines or ("Van den Heuvel & Zonen B.V.", "J. de Vries", "Keizersgracht 123", "1015 CJ Amsterdam"),
        ),
        subject="Herinnering: factuur F-2041",
        letter=words,
    )
