"""Drafts: the recipients, words and hashes of the messages that the actions of one step need.

Actions of one customer that are at the same step (its cases in several currencies) make one message. What an approval
binds to is the hash of all that the text is made of: items, amounts, recipient, sender, account, signature, enclosures,
words; dates that move with the day of sending are not part of it, or every approval would lapse overnight.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from connectors.message import Attachment, Correspondent, Outgoing
from maatpak.kernel.ids import content_hash
from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.segments import fitting
from maatpak.kernel.words import Channel, StepKind
from policies.guardrails import GuardrailsFile
from policies.markup import pay_lines
from policies.render import Rendered, Templates, templates_of
from policies.schema import Attachment as Attach
from policies.schema import ChannelRule
from tasks.compose.composed import NOTHING_ELSE, Draft, Drafts, Wanted
from tasks.compose.context import Writer
from tasks.compose.copies import Copies
from tasks.compose.look import Look, logo_of, look_of
from tasks.compose.notices import earlier_notices
from tasks.compose.outlook import KNOWN, what_next
from tasks.compose.readers import Readers
from tasks.compose.reading import Material, Row
from tasks.compose.recipients import (
    NO_ADDRESS,
    OPTED_OUT,
    Customer,
    Reach,
    nowhere,
)
from tasks.compose.reference import action_key, message_token, short_reference, where_to_say_how
from tasks.compose.subject import Subject, reply_by
from tasks.compose.ways import Choice, Orders, Way
from tasks.compose.windows import next_opening, zones_of

if TYPE_CHECKING:
    from policies.pack import CompiledPack
    from tasks.engine import Engine

MOST_REFERENCES = 10
SENDER = (
    *("name", "email", "phone", "street", "postal_code", "city", "country"),
    *("registration_no", "vat_no", "iban", "bic", "payment_url"),
)
"""What a message says of the creditor."""
ASKING = frozenset({"notice", "demand"})
"""Kinds of template that ask for items, and so are never sent without any."""


class Drafter:
    """Writes for one creditor."""

    def __init__(
        self,
        engine: "Engine",
        material: Material,
        creditor: Row,
        limits: GuardrailsFile,
        as_of: date,
        now: datetime,
        *,
        keep: bool,
        wanted: Wanted = NOTHING_ELSE,
    ) -> None:
        self._wanted = wanted
        workspace = engine.settings.workspace
        self._material = material
        self._creditor = creditor
        self._hours = limits.hours
        self._as_of = as_of
        self._now = now
        self._key = engine.link_key
        self._public_url = engine.settings.public_url
        self._segments = engine.settings.sms_segments
        self._look: Look = look_of(workspace, creditor["code"])
        self._logo = logo_of(workspace, self._look)
        self._copies = Copies(workspace, engine.store if keep else None)
        self._writers: dict[tuple[str, str], Writer] = {}
        self._readers = Readers(material, creditor, limits.texts)

    def draft(self, pack: "CompiledPack", segment: str, step_name: str, rows: Sequence[Row], made: Drafts) -> None:
        """The messages of one cohort: the actions of one step."""
        journey = pack.journeys[segment]
        step = journey.steps[step_name]
        templates = templates_of(pack)
        groups: dict[int, list[Row]] = {}
        for row in rows:
            groups.setdefault(row["debtor_id"], []).append(row)
        known = pl.DataFrame([self._readers.known(group) for group in groups.values()], schema=KNOWN)
        for group, outlook in zip(groups.values(), what_next(journey, step, known), strict=True):
            customer, profile = self._readers.customer(templates, step, group)
            subject = Subject(
                actions=tuple(group),
                items=tuple(item for row in group for item in self._material.items.get(row["action_id"], ())),
                step=step,
                creditor=self._creditor,
                customer=customer,
                profile=profile,
                outlook=outlook,
                as_of=self._as_of,
            )
            self._write(pack, templates, subject, made)

    def _write(self, pack: "CompiledPack", templates: Templates, subject: Subject, made: Drafts) -> None:
        lead = subject.actions[0]
        template, tone, customer = str(lead["template"]), str(subject.step.tone), subject.customer
        about = templates.about(template, tone)
        if about.kind in ASKING and not subject.items:
            self._give_up(subject, SkipReason.NOTHING_LEFT, f"{template} asks for items, and none is named", made)
            return
        ways = self._ways(pack, subject, texts=about.texts)
        if not ways:
            reason = OPTED_OUT if customer.opted_out else NO_ADDRESS
            self._give_up(subject, reason, f"nothing usable for {_rule(lead)}", made)
            return
        language = templates.language(self._wanted.language, customer.language, self._creditor["language"])
        writer = self._writer(pack, templates, language)
        for way in ways:
            draft = self._message(pack, templates, writer, subject, way, template, tone)
            made.drafts.append(draft)
            for row in subject.actions:
                made.hashes.setdefault(row["action_id"], []).append(draft.content_hash)

    def _ways(self, pack: "CompiledPack", subject: Subject, *, texts: bool) -> list[Way]:
        """The ways that the message goes; none where they are not enough: a threat goes by post, whatever else."""
        lead, customer, step = subject.actions[0], subject.customer, subject.step
        if self._wanted.channel is not None:
            return [Way(customer.reach(self._wanted.channel) or nowhere(customer, self._wanted.channel))]
        orders = Orders(pack.order(lead["segment"]), pack.channels.small)
        used = [each["channel"] for each in self._material.earlier.get(lead["case_id"], ())]
        choice = Choice(customer, orders, sum(subject.totals.values()), texts)
        if step.channel is not None and _rule(lead) is not step.channel:
            # Decided so, since the step was tried by the channel that it asks for.
            ways = choice.after_failure(step.channel, used)
        else:
            ways = choice.ways(_rule(lead), used)
        enough = not step.escalating or any(each.reach.channel is Channel.POST for each in ways)
        return ways if enough else []

    @staticmethod
    def _give_up(subject: Subject, reason: str, detail: str, made: Drafts) -> None:
        for row in subject.actions:
            made.unreachable.append((row["action_id"], reason, detail))
            made.hashes.setdefault(row["action_id"], []).append(content_hash({"unreachable": reason}))

    def _writer(self, pack: "CompiledPack", templates: Templates, language: str) -> Writer:
        key = (pack.content_hash, language)
        if key not in self._writers:
            country = self._creditor["country"]
            self._writers[key] = Writer(templates, language, country, self._material, self._look)
        return self._writers[key]

    def _message(
        self,
        pack: "CompiledPack",
        templates: Templates,
        writer: Writer,
        subject: Subject,
        way: Way,
        template: str,
        tone: str,
    ) -> Draft:
        reach = way.reach
        token = message_token(self._key, self._creditor["code"], subject.actions, reach.channel)
        context = {
            **writer.context(subject, token),
            "reach": where_to_say_how(self._key, self._public_url, self._creditor["email"], token, writer.labels),
        }
        attachments: tuple[Attachment, ...] = ()
        prints: list[list[str]] = []
        if Attach.INVOICES in subject.step.attach and reach.channel is not Channel.SMS:
            attachments = self._copies.of(subject.items)
            prints = self._copies.prints(subject.items)
            context["copies"] = [each.name for each in attachments]
        rendered = templates.render(template, tone, reach.channel, writer.language, context)
        identity = {
            "pack": pack.content_hash,
            "template": template,
            "tone": tone,
            "language": writer.language,
            "channel": reach.channel,
            "recipient": reach.address,
            "person": [reach.person.name, *reach.person.lines],
            "customer": context["customer"],
            "sender": [self._creditor[name] for name in SENDER],
            "signature": [*context["signature"], context["signatory"]["phone"], context["manager"]],
            "manager_agreed": context["manager_agreed"],
            "look": [context["look"], self._logo],
            "attachments": prints,
            "items": [
                (item["item_id"], item["document_no"], item["due_on"].isoformat(), item["asked"])
                for item in subject.items
            ],
            "earlier": [each["message_id"] for each in earlier_notices(self._material, subject)[0]],
            "heard": context["heard"],
            "then": subject.outlook and subject.outlook.kind,
            "plan": None if subject.step.kind is StepKind.PLAN_OFFER else context["plan"],
            "promise": context["promise"],
            "received": [context["received"], context["may_be_for"]],
        }
        identity_hash = content_hash(identity)
        return Draft(
            outgoing=self._outgoing(subject, reach, writer, rendered, context, token, attachments),
            actions=subject.actions,
            recipient=reach.address,
            switch=way.switch,
            template=template,
            content_key=content_hash([identity_hash, *(action_key(row) for row in subject.actions)])[:32],
            content_hash=identity_hash,
            # A template need not name the date, and a text has no room for it: only what was said binds us.
            reply_by=reply_by(subject) if context["reply_by"] in rendered.text else None,
            send_after=self._send_after(subject.customer, reach.channel),
        )

    def _outgoing(
        self,
        subject: Subject,
        reach: Reach,
        writer: Writer,
        rendered: Rendered,
        context: Mapping[str, Any],
        token: str,
        attachments: tuple[Attachment, ...],
    ) -> Outgoing:
        creditor = self._creditor
        mail = creditor["email"] or f"{str(creditor['code']).lower()}@maatpak.local"
        place = " ".join(part for part in (creditor["postal_code"], creditor["city"]) if part)
        lines = tuple(part for part in (creditor["name"], creditor["street"], place) if part)
        sender = Correspondent(creditor["name"], email=mail, phone=creditor["phone"], lines=lines)
        thread = self._thread(subject.actions) if reach.channel is Channel.EMAIL else ()
        letter = None
        if rendered.letter is not None:
            letter = {**rendered.letter, **self._letter(context, writer.labels, token)}
        return Outgoing(
            message_ref=f"{token}@{mail.rpartition('@')[2]}",
            channel=reach.channel,
            language=writer.language,
            sender=sender,
            recipient=reach.person,
            subject=rendered.subject,
            # What is kept as evidence is what leaves, sign by sign.
            text=fitting(rendered.text, self._segments) if reach.channel is Channel.SMS else rendered.text,
            html=rendered.html,
            letter=letter,
            written_at=self._now,
            reply_to=creditor["email"],
            in_reply_to=thread[-1] if thread else None,
            references=thread,
            attachments=attachments,
            items=tuple(
                {
                    "item_id": item["item_id"],
                    "document_no": item["document_no"],
                    "asked": item["asked"],
                    "currency": item["currency"],
                }
                for item in subject.items
            ),
        )

    def _letter(self, context: Mapping[str, Any], labels: Mapping[str, str], token: str) -> dict[str, Any]:
        creditor = self._creditor
        reference = short_reference(token)
        particulars = {
            "our_reference": reference,
            "your_number": context["customer"]["number"],
            "date": context["today"],
            "phone": creditor["phone"],
            "email": creditor["email"],
        }
        return {
            "tables": context["tables"],
            "plan_tables": context["plan_tables"],
            "pay": context["pay"],
            "pay_lines": pay_lines(context["pay"], labels),
            "signature": [line for line in context["signature"] if line],
            "look": context["look"],
            "logo": self._logo,
            "reference": reference,
            "dated": self._as_of.isoformat(),
            "particulars": [[labels[name], value] for name, value in particulars.items() if value],
        }

    def _thread(self, actions: Sequence[Row]) -> tuple[str, ...]:
        """Message-IDs of the e-mails that the case has had, so that a mail program keeps them together."""
        sent = [
            each["message_ref"]
            for row in actions
            for each in self._material.earlier.get(row["case_id"], ())
            if each["channel"] == Channel.EMAIL
        ]
        return tuple(dict.fromkeys(sent))[-MOST_REFERENCES:]

    def _send_after(self, customer: Customer, channel: Channel) -> datetime | None:
        if channel is Channel.POST:
            return None
        zones = zones_of(customer.time_zone, customer.country)
        opening = next_opening(self._now, zones, self._hours, customer.kind, customer.country)
        return None if opening == self._now else opening


def _rule(action: Row) -> ChannelRule:
    return ChannelRule(action["channel"] or ChannelRule.PREFERRED)
