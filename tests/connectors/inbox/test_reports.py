import base64

import pytest

from connectors.inbox.incoming import Action, IncomingKind, Reason, Result
from connectors.inbox.reading import read_mail
from tests.connectors.inbox.mails import ABOUT, ORIGINAL, OURS, THEIRS, mail, multipart, report


def test_a_report_tells_who_failed_why_and_which_message() -> None:
    said = "550 5.1.1 <inkoop@klant.example>: Recipient address rejected: User unknown"
    read = read_mail(
        report(f"Final-Recipient: rfc822; {THEIRS}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; {said}\n")
    )
    assert (read.kind, read.about, read.envelope_to) == (IncomingKind.REPORT, (ABOUT,), (OURS,))
    assert read.results == (Result(THEIRS, Action.FAILED, True, "5.1.1", 550, Reason.UNKNOWN_USER, said),)


@pytest.mark.parametrize(
    ("told", "action"),
    [
        ("delivered", Action.DELIVERED),
        ("relayed", Action.RELAYED),
        ("expanded", Action.EXPANDED),
        ("Delayed", Action.DELAYED),
        ("failed (bad destination)", Action.FAILED),
        ("", Action.DELIVERED),
        ("deliverable?", Action.DELIVERED),
    ],
)
def test_only_a_failure_is_a_bounce(told: str, action: Action) -> None:
    status = "5.1.1" if action in (Action.FAILED, Action.DELAYED) else "2.1.5"
    named = f"Action: {told}\n" if told else ""
    (result,) = read_mail(report(f"Final-Recipient: rfc822; {THEIRS}\n{named}Status: {status}\n")).results
    assert (result.action, result.hard) == (action, action is Action.FAILED)
    assert (result.reason is Reason.NONE) == (status == "2.1.5")


def test_each_recipient_of_a_report_has_its_own_result() -> None:
    text = (
        "<a@klant.example>: host mx.klant.example said: 550 no such user\n    (in reply to RCPT TO command)\n\n"
        "<b@klant.example>: host mx.klant.example said: 452 over quota (in reply to RCPT TO command)\n"
    )
    fields = "".join(
        f"Final-Recipient: rfc822; {each}@klant.example\nAction: {action}\nStatus: {status}\n\n"
        for each, action, status in (("a", "failed", "5.0.0"), ("b", "delayed", "4.0.0"), ("c", "delivered", "2.0.0"))
    )
    read = read_mail(report(fields, text=text))
    assert [(each.recipient, each.action, each.hard, each.reason) for each in read.results] == [
        ("a@klant.example", Action.FAILED, True, Reason.UNKNOWN_USER),
        ("b@klant.example", Action.DELAYED, False, Reason.MAILBOX_FULL),
        ("c@klant.example", Action.DELIVERED, False, Reason.NONE),
    ]


def test_the_address_is_the_one_that_we_wrote_to() -> None:
    fields = "Original-Recipient: rfc822;inkoop+2Bnl@klant.example\nFinal-Recipient: rfc822;piet@elders.example\n"
    (result,) = read_mail(report(f"{fields}Action: failed\nStatus: 5.2.2\n")).results
    assert (result.recipient, result.reason, result.hard) == ("inkoop+nl@klant.example", Reason.MAILBOX_FULL, False)


def test_where_a_server_rewrote_the_address_to_is_another_matter() -> None:
    fields = f"Final-Recipient: rfc822;{THEIRS}\nX-Actual-Recipient: rfc822;piet@mail7.klant.example\n"
    (result,) = read_mail(report(f"{fields}Action: failed\nStatus: 5.1.1\n")).results
    assert (result.recipient, result.hard) == (THEIRS, True)


def test_a_report_in_base64_or_of_another_alphabet_is_read() -> None:
    fields = f"Reporting-MTA: dns; mx.example\n\nFinal-Recipient: utf-8; {THEIRS}\nAction: failed\nStatus: 5.1.2\n"
    coded = base64.encodebytes(fields.encode()).decode()
    kind, body = multipart(
        "report",
        ("text/plain", "Bericht"),
        ("message/global-delivery-status\nContent-Transfer-Encoding: base64", coded),
        ("text/rfc822-headers", ORIGINAL),
    )
    read = read_mail(mail(body, more=kind))
    assert [(each.recipient, each.reason, each.hard) for each in read.results] == [
        (THEIRS, Reason.UNKNOWN_DOMAIN, True)
    ]
    assert read.about == (ABOUT,)


def test_a_receipt_of_a_mail_program_is_a_delivery() -> None:
    kind, body = multipart(
        "report; report-type=disposition-notification",
        ("text/plain", "Your message was read."),
        (
            "message/disposition-notification",
            f"Final-Recipient: rfc822;{THEIRS}\nOriginal-Message-ID: <{ABOUT}>\n"
            "Disposition: manual-action/MDN-sent-manually; displayed\n",
        ),
    )
    read = read_mail(mail(body, subject="Gelezen: Herinnering", more=kind))
    assert (read.kind, read.about) == (IncomingKind.REPORT, (ABOUT,))
    assert [(each.recipient, each.action) for each in read.results] == [(THEIRS, Action.DELIVERED)]


def test_a_report_in_a_report_is_not_ours() -> None:
    inner = (
        report(f"Final-Recipient: rfc822; {OURS}\nAction: failed\nStatus: 5.1.1\n").decode().replace("grens", "muur")
    )
    read = read_mail(report(f"Final-Recipient: rfc822; {THEIRS}\nAction: delivered\nStatus: 2.0.0\n", original=inner))
    assert [(each.recipient, each.action) for each in read.results] == [(THEIRS, Action.DELIVERED)]


def test_notifications_of_amazon_are_read() -> None:
    told = (
        '{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":'
        '[{"emailAddress":"Inkoop@klant.example","action":"failed","status":"5.1.1","diagnosticCode":'
        '"smtp; 550 5.1.1 user unknown"}]},"mail":{"messageId":"0102-amazon","headers":[{"name":"Message-ID",'
        f'"value":"<{ABOUT}>"}}]}}}}\n\n--\nIf you wish to stop receiving notifications …'
    )
    read = read_mail(mail(told, sender="no-reply@sns.amazonaws.com", subject="AWS Notification Message"))
    assert (read.kind, read.about) == (IncomingKind.REPORT, (ABOUT, "0102-amazon"))
    assert [(each.recipient, each.hard) for each in read.results] == [(THEIRS, True)]


@pytest.mark.parametrize(
    "fields",
    [
        "Feedback-Type: abuse\nUser-Agent: SomeLoop/1.0\nVersion: 1\n",
        f"Feedback-Type: not-spam\nOriginal-Rcpt-To: {THEIRS}\n",
    ],
)
def test_a_feedback_report_is_a_complaint(fields: str) -> None:
    kind, body = multipart(
        "report; report-type=feedback-report",
        ("text/plain", "This is an abuse report. The address does not exist, 550 5.1.1 user unknown."),
        ("message/feedback-report", fields),
        ("message/rfc822", ORIGINAL),
    )
    read = read_mail(mail(body, sender="MAILER-DAEMON@loop.example", more=kind))
    assert (read.kind, read.about, read.results) == (IncomingKind.COMPLAINT, (ABOUT,), ())


def test_a_message_that_hotmail_sends_back_is_a_complaint() -> None:
    kind, body = multipart("mixed", ("message/rfc822", ORIGINAL))
    read = read_mail(
        mail(body, sender="<staff@hotmail.com>", subject="complaint about message from 192.0.2.1", more=kind)
    )
    assert (read.kind, read.about) == (IncomingKind.COMPLAINT, (ABOUT,))
