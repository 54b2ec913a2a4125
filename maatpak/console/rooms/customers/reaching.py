"""Acts on how a customer is reached: preferences, contact persons, opt-outs, consents to texts."""

from typing import Literal

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Done
from maatpak.console.frame.fields import Line, as_words, named
from tasks.preferences import PREFERENCES, consent_to_texts, opt_out_of, set_contact, set_preference
from tasks.rights import DESK

DEBTOR = "/debtors/{debtor_id}"


class Preference(BaseModel):
    """What a customer asked for."""

    name: Line = Field(title="Preference", min_length=1)
    value: Line = Field(
        min_length=1,
        description="Such as post, nl, friday, 15,30, 09:00-12:00 or yes; what does not fit is told.",
    )
    source: Line = Field("call", title="Said by", description="call, answer, contract …", min_length=1)


class Contact(BaseModel):
    """Whom to write to or call."""

    name: Line = Field(min_length=1)
    role: Literal["payables", "decision_maker", "invoice", "escalation"]
    email: Line | None = Field(None, title="E-mail address")
    phone: Line | None = Field(None, title="Phone", description="In digits, such as +31 20 123 4567.")
    language: Line | None = Field(None, description="Such as nl.")


class OptOut(BaseModel):
    """A channel on which the customer wants nothing more."""

    channel: Literal["email", "sms", "phone"]


class Consent(BaseModel):
    """Whether texts to a number are agreed to."""

    number: Line = Field(title="Mobile number", min_length=1)
    given: bool = Field(default=False, title="Agrees to texts at this number")
    source: Line = Field(min_length=1, title="How it was said", description="call, contract, answer …")


def _preference(acting: Acting, form: Preference, debtor_id: int) -> Done:
    with acting.desk("debtor_id", debtor_id) as desk:
        kept = set_preference(desk, desk.debtor(debtor_id), form.name, form.value, source=form.source)
        return Done(f"{as_words(kept.name)}: {kept.value}.")


def _contact(acting: Acting, form: Contact, debtor_id: int) -> Done:
    with acting.desk("debtor_id", debtor_id) as desk:
        given = {"email": form.email, "phone": form.phone, "language": form.language}
        set_contact(desk, desk.debtor(debtor_id), form.name, form.role, **given)
    return Done(f"{form.name} is the contact for {as_words(form.role).lower()}.")


def _opt_out(acting: Acting, form: OptOut, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        opt_out_of(desk, desk.case(case_id), form.channel)
    return Done(f"The customer gets nothing more by {form.channel}.")


def _consent(acting: Acting, form: Consent, debtor_id: int) -> Done:
    with acting.desk("debtor_id", debtor_id) as desk:
        told = consent_to_texts(desk, desk.debtor(debtor_id), form.number, given=form.given, source=form.source)
        return Done(f"{'Agreed' if told.given else 'No consent'} to texts at {told.number}.")


def _names(asking: Asking, **ids: int) -> dict[str, list[Choice]]:
    del asking, ids
    return {"name": named(PREFERENCES)}


REACHING = (
    Act(DEBTOR + "/preference", "Preference", "The engine obeys it from the next run on.", Preference, _preference,
        DESK, choices=_names),
    Act(DEBTOR + "/contact", "Contact person", "Whom to write to or call; replaces what was known of them.", Contact,
        _contact, DESK),
    Act("/cases/{case_id}/opt-out", "Opt out", "Nothing more goes there, also not of other cases of the account.",
        OptOut, _opt_out, DESK),
    Act(DEBTOR + "/texts", "Consent to texts", "Given or taken back, at one number.", Consent, _consent, DESK),
)  # fmt: skip
