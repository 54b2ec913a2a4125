from connectors.message import Attachment, Outgoing
from tests.connectors.letters import letter, mail


def test_a_message_survives_its_json_word_for_word() -> None:
    for outgoing in (mail(attachments=(Attachment("F-2041.pdf", "application/pdf", "document/ab/x.pdf"),)), letter()):
        read = Outgoing.from_json(outgoing.to_json())
        assert read.to_json() == outgoing.to_json()
        assert (read.channel, read.written_at, read.recipient) == (
            outgoing.channel,
            outgoing.written_at,
            outgoing.recipient,
        )


def test_the_same_message_has_the_same_bytes() -> None:
    assert mail().to_json() == mail().to_json()
