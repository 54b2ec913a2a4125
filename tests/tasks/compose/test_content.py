"""The content that is queued: the same for the same things, bound to its approval, kept as evidence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.message import Outgoing
from connectors.post.letters import letter_pdf
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import Channel, ReachState
from maatpak.ledger.tables import (
    ActionItem,
    Creditor,
    Preference,
)
from policies.vocabulary import VARIABLES, samples
from tasks.compose import compose, content_hashes, preview, queue_messages
from tests.tasks.compose.composing import letters, put, state, versioned, written
from tests.tasks.outbox_world import DAY, NOW, Account, House


def change_item(house: House, account: Account) -> None:
    other = house.customer()
    put(house, ActionItem(action_id=account.action_id, item_id=other.item_ids[0], amount=100))


def change_address(house: House, account: Account) -> None:
    put(house, state(account, "email", "k-1001@klant.example", ReachState.DEAD))


def change_language(house: House, account: Account) -> None:
    put(house, Preference(**versioned(debtor_id=account.debtor_id, name="language", value="en", source="t", actor="t")))


def change_creditor(**values: Any) -> Callable[[House, Account], None]:
    def change(house: House, account: Account) -> None:
        with house.engine.database.session() as session:
            creditor = session.get_one(Creditor, house.creditor_id)
            for name, value in values.items():
                setattr(creditor, name, value)

    return change


def change_look(text: str) -> Callable[[House, Account], None]:
    def change(house: House, account: Account) -> None:
        folder = house.engine.settings.workspace / "looks"
        folder.mkdir()
        (folder / "NL1.yaml").write_text(text)

    return change


def change_copy(house: House, account: Account) -> None:
    (house.engine.settings.workspace / "documents" / "f.pdf").write_bytes(b"%PDF-another")


CHANGES = {
    "items": change_item,
    "address": change_address,
    "language": change_language,
    "account": change_creditor(iban="NL02ABNA0123456789"),
    "bank": change_creditor(bic="RABONL2U"),
    "payment page": change_creditor(payment_url="https://elsewhere.example/"),
    "sender": change_creditor(name="Somebody Else B.V."),
    "registration": change_creditor(registration_no="KVK 2"),
    "signatory": change_look("signatory: {name: I. Impostor}"),
    "footer": change_look("footer: [Elsewhere]"),
    "copy": change_copy,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_an_approval_binds_to_items_amounts_recipient_and_text(
    house: House, change: Callable[[House, Account], None]
) -> None:
    folder = house.engine.settings.workspace / "documents"
    folder.mkdir()
    (folder / "f.pdf").write_bytes(b"%PDF-copy")
    step = "reminder" if change is change_copy else "personal_letter"
    account = house.customer(step, "habitual" if change is change_copy else "key", documents=("f.pdf",))
    with house.engine.database.frames(read_only=True) as frames:
        shown = content_hashes(house.engine, frames, [account.action_id], DAY, NOW)
        next_day = content_hashes(
            house.engine, frames, [account.action_id], DAY + timedelta(days=1), NOW + timedelta(days=1)
        )
    assert shown == next_day
    change(house, account)
    with house.engine.database.frames(read_only=True) as frames:
        assert content_hashes(house.engine, frames, [account.action_id], DAY, NOW) != shown


def test_composing_again_gives_the_same_messages_and_queues_nothing(house: House) -> None:
    house.customer()
    first = house.written()
    with house.engine.database.frames() as frames:
        again = compose(house.engine, frames, pl.DataFrame({"action_id": [house.accounts[0].action_id]}), DAY, NOW)
        assert queue_messages(frames, again) == 0
    assert again.messages.equals(first.messages)
    assert again.hashes.equals(first.hashes)
    assert len(house.rows("SELECT 1 AS one FROM message")) == 1


def test_other_words_for_the_same_action_are_not_a_second_message(house: House) -> None:
    account = house.customer()
    house.written()
    put(house, Preference(**versioned(debtor_id=account.debtor_id, name="language", value="en", source="t", actor="t")))
    changed = house.written()
    assert changed.messages["language"].to_list() == ["en"]
    assert len(house.rows("SELECT 1 AS one FROM message")) == 1


def test_a_preview_is_what_would_go_out_and_keeps_nothing(house: House) -> None:
    account = house.customer()
    with house.engine.database.frames(read_only=True) as frames:
        ((action_id, shown),) = preview(house.engine, frames, [account.action_id], DAY, NOW)
    assert action_id == account.action_id
    assert not (house.engine.settings.workspace / "evidence" / "message").exists()
    assert written(house) == [shown]


def test_copies_go_along_only_from_the_documents_folder(house: House) -> None:
    house.customer(documents=("f-2000.pdf", "../secret.pdf"))
    folder = house.engine.settings.workspace / "documents"
    folder.mkdir()
    (folder / "f-2000.pdf").write_bytes(b"%PDF-copy")
    (house.engine.settings.workspace / "secret.pdf").write_bytes(b"secret")
    (outgoing,) = written(house)
    (attachment,) = outgoing.attachments
    assert (attachment.name, attachment.media_type) == ("F-2000.pdf", "application/pdf")
    assert house.engine.store.get(attachment.evidence) == b"%PDF-copy"
    assert "U vindt een kopie in de bijlage." in outgoing.text


def test_a_creditors_look_is_plain_settings(house: House) -> None:
    folder = house.engine.settings.workspace / "looks"
    folder.mkdir()
    (folder / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>')
    look = folder / "NL1.yaml"
    look.write_text(
        'colour: "#aa3300"\nlogo: logo.svg\nfooter: [Zuidermeer, Utrecht]\n'
        "signatory: {name: Anna Bakker, title: Teamleider, phone: '+31 20 555 0199'}\n"
    )
    house.customer(preferred_channel="post")
    (outgoing,) = written(house)
    assert outgoing.letter is not None
    assert outgoing.letter["look"] == {"colour": "#aa3300", "footer": ["Zuidermeer", "Utrecht"]}
    assert outgoing.letter["logo"].startswith("<svg")
    assert "Anna Bakker" in outgoing.text
    assert letter_pdf(outgoing).startswith(b"%PDF")
    look.write_text("colour: red\n")
    with pytest.raises(UsageError, match="does not hold"):
        house.written()
    look.write_text("logo: ../link.key\n")
    with pytest.raises(UsageError, match="is no SVG file"):
        house.written()


@pytest.mark.parametrize(
    ("said", "stated"),
    [("", "8000 0000 0020 1001"), ("reference: rf", "RF30 K100 1"), ("reference: words", "K-1001 F-2000 F-2001")],
)
def test_customers_state_what_their_creditors_bank_checks(house: House, said: str, stated: str) -> None:
    (house.engine.settings.workspace / "looks").mkdir()
    (house.engine.settings.workspace / "looks" / "NL1.yaml").write_text(said)
    house.customer(preferred_channel="post")
    (outgoing,) = written(house)
    assert outgoing.letter is not None
    assert outgoing.letter["pay"]["reference"] == stated
    assert stated in outgoing.text


def test_an_evidence_file_is_erasable_and_the_row_says_nothing_personal(house: House, workspace: Path) -> None:
    house.customer()
    composed = house.written()
    key = composed.messages["content"].item()
    path = house.engine.store.path(key)
    assert path is not None
    assert path.is_relative_to(workspace)
    assert Outgoing.from_json(path.read_bytes()) == replace(letters(house, composed)[0])


def test_mails_wait_for_their_hour_and_letters_do_not(house: House) -> None:
    house.customer("reminder", "prompt")
    composed = house.written(NOW.replace(hour=5))
    waits = dict(composed.messages.select("channel", "send_after").iter_rows())
    assert waits == {"email": NOW.replace(hour=7), "post": None}


def test_the_context_is_what_the_vocabulary_says(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from policies.render import Templates

    seen: list[dict[str, Any]] = []
    render = Templates.render

    def noting(self: Templates, template: str, tone: str, channel: Channel, language: str, context: Any) -> Any:
        seen.append(context)
        return render(self, template, tone, channel, language, context)

    house.customer()
    monkeypatch.setattr(Templates, "render", noting)
    house.written()
    context, sample = seen[-1], next(samples())
    assert context.keys() == sample.keys()
    for name, variable in VARIABLES.items():
        if variable.fields and context.get(name) and not variable.many:
            assert set(context[name]) >= set(variable.fields), name


def test_a_letter_is_whole_and_can_be_set(house: House) -> None:
    house.customer("manager_letter", "habitual", preferred_channel="post")
    (outgoing,) = [each for each in written(house) if each.channel is Channel.POST]
    assert outgoing.letter is not None
    assert outgoing.letter["pay"]["minor"] == 173050
    assert ["Uw klantnummer", "K-1001"] in outgoing.letter["particulars"]
    assert letter_pdf(outgoing).startswith(b"%PDF")
