"""What the customers of the made-up world write, and how whoever reads it understands it."""

import re

SAYINGS: dict[str, tuple[str, str]] = {
    "promised": ("We betalen volgende week.", "We shall pay next week."),
    "plan_asked": ("Kunnen we dit in termijnen betalen?", "Could we pay this in instalments?"),
    "complaint": ("Ik wil een klacht indienen.", "I wish to make a complaint."),
    "spoke_no_commitment": ("We zoeken het uit.", "We are looking into it."),
    "reason:lost_invoice": ("Deze factuur hebben we nooit ontvangen.", "We never received this invoice."),
    "reason:forgot": ("Sorry, dit is er bij ons tussendoor geglipt.", "Sorry, this one slipped through with us."),
    "reason:approval_pending": ("De factuur ligt nog ter goedkeuring.", "The invoice still waits for approval."),
    "reason:po_missing": ("Er staat geen ordernummer op.", "There is no purchase order number on it."),
    "reason:wrong_invoice": ("De factuur klopt niet.", "The invoice is not right."),
    "reason:wrong_entity": ("De factuur staat op de verkeerde naam.", "The invoice is made out to the wrong company."),
    "reason:price": ("De prijs is niet wat we afspraken.", "The price is not what we agreed."),
    "reason:quantity": ("Het aantal klopt niet.", "The quantity is not right."),
    "reason:not_delivered": ("De levering is nooit aangekomen.", "The delivery never arrived."),
    "reason:our_failure": ("Het geleverde was niet in orde.", "What you delivered was not in order."),
    "reason:cash_flow": ("We hebben er nu het geld niet voor.", "We do not have the money for it now."),
    "reason:waits_for_customer": ("We wachten zelf op een klant.", "We are waiting for a customer ourselves."),
    "reason:policy": ("Wij betalen altijd na zestig dagen.", "We always pay after sixty days."),
    "reason:pay_run": ("Hij gaat mee in onze volgende betaalronde.", "It goes into our next pay run."),
    "reason:paid_already": ("Dit is al betaald.", "This has been paid already."),
    "reason:payment_failed": ("Onze overboeking is mislukt.", "Our transfer failed."),
    "reason:set_off": ("We verrekenen dit met onze eigen factuur.", "We set this off against our own invoice."),
    "reason:verifying_iban": ("Klopt dit rekeningnummer wel?", "Is this account number really yours?"),
    "reason:unwilling": ("Wij betalen dit niet.", "We are not going to pay this."),
    "reason:insolvent": ("Wij zijn failliet verklaard.", "We have been declared insolvent."),
    "reason:deceased": ("Mijn vader is overleden.", "My father has passed away."),
    "reason:represented": ("Onze advocaat neemt contact op.", "Our lawyer will be in touch."),
}
"""In Dutch and in English, by what is meant (`Character.says`)."""
AWAY = (
    "Ik ben afwezig tot en met vrijdag en lees uw bericht daarna.",
    "I am out of the office until Friday and will read your message then.",
)
NUMBER = ("Klantnummer", "Customer number")
GREETINGS = ("Met vriendelijke groet", "Kind regards")
WROTE = ("Op {day} schreef {who}:", "On {day}, {who} wrote:")


def said(means: str, language: str) -> str:
    """The sentence that means this."""
    return SAYINGS[means][_at(language)]


def meaning(text: str) -> str | None:
    """What a text means; None where it has none of these sentences."""
    return next((means for means, both in SAYINGS.items() if any(each in text for each in both)), None)


def mail_of(name: str, number: str, language: str, means: str) -> str:
    """The words of a mail that somebody writes on their own account."""
    at = _at(language)
    return f"{SAYINGS[means][at]}\n\n{NUMBER[at]} {number}\n\n{GREETINGS[at]},\n{name}\n"


def customer_number(text: str) -> str | None:
    """The number that whoever wrote this gives as theirs."""
    found = re.search(rf"(?:{'|'.join(NUMBER)}) (\w+)", text)
    return found[1] if found else None


def quoted(language: str, day: str, who: str, subject: str) -> str:
    """What a mail program puts below an answer."""
    return f"\n{WROTE[_at(language)].format(day=day, who=who)}\n> {subject}\n"


def away_note(language: str) -> str:
    """What a machine answers for somebody who is away."""
    return AWAY[_at(language)]


def _at(language: str) -> int:
    return 0 if language == "nl" else 1
