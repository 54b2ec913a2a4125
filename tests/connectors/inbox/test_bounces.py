"""Bounces in the layouts of mail systems that follow no standard, as they write them."""

import pytest

from connectors.inbox.incoming import Action, IncomingKind, Reason
from connectors.inbox.reading import read_mail
from tests.connectors.inbox.mails import ABOUT, ORIGINAL, OURS, THEIRS, daemon, mail, multipart, report

QMAIL = f"""Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{THEIRS}>:
192.0.2.7 does not like recipient.
Remote host said: 550 sorry, no mailbox here by that name (#5.1.1)
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <{OURS}>
{ORIGINAL}"""

EXIM = f"""This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {THEIRS}
    SMTP error from remote mail server after RCPT TO:<{THEIRS}>:
    host mx.klant.example [192.0.2.7]: 550 Unknown recipient

------ This is a copy of the message, including all the headers. ------

{ORIGINAL}"""

EXIM_NO_ROUTE = f"""A message that you sent could not be delivered to all of its recipients.
The following address(es) failed:

  {THEIRS}
    Unrouteable address

------ This is a copy of your message, including all the headers. ------

{ORIGINAL}"""

SENDMAIL = f"""   ----- The following addresses had permanent fatal errors -----
<{THEIRS}>

   ----- Transcript of session follows -----
... while talking to mx.klant.example.:
>>> RCPT To:<{THEIRS}>
<<< 550 <{THEIRS}>... User unknown
550 <{THEIRS}>... User unknown

   ----- Unsent message follows -----
Received: by mx.example id AA01
{ORIGINAL}"""

SENDMAIL_FULL = SENDMAIL.replace("User unknown", "Mailbox quota exceeded")

GOOGLE_CONTENT = f"""Delivery to the following recipient failed permanently:

     {THEIRS}

Technical details of permanent failure:
Google tried to deliver your message, but it was rejected by the recipient domain. The error that the other server
returned was: 550 550 Unknown user {THEIRS} (state 18).

----- Original message -----

{ORIGINAL}"""

GOOGLE_RECIPIENT = GOOGLE_CONTENT.replace("(state 18)", "(state 14)")

EXCHANGE = f"""Your message did not reach some or all of the intended recipients.

      Subject:  Herinnering
      Sent:     24-11-2026 10:11

The following recipient(s) could not be reached:

      {THEIRS} on 24-11-2026 10:12
            The e-mail account does not exist at the organization this message was sent to.  Check the e-mail address.
            <mx.klant.example #5.1.1>
"""

NOTES = f"""------- Failure Reasons  --------

User not listed in public Name & Address Book
{THEIRS}


------- Returned Message --------

{ORIGINAL}"""

YAHOO = f"""Sorry, we were unable to deliver your message to the following address.

<{THEIRS}>:
Remote host said: 552 5.2.2 <{THEIRS}>... Mailbox Full
 [RCPT_TO]

--- Below this line is a copy of the message.

{ORIGINAL}"""

OPENSMTPD = f"""Hi!

This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.

An error has occurred while attempting to deliver a message for
the following list of recipients:

{THEIRS}: No MX found for destination

    Below is a copy of the original message:

{ORIGINAL}"""

FILTER = f"""Unable to deliver message to: <{THEIRS}>
Delivery failed for the following reason:

Server mx.klant.example[192.0.2.7] failed with: 550 <{THEIRS}> No such user here

This has been a permanent failure.  No further delivery attempts will be made.
"""

EXPIRED = f"""Could not deliver message to the following recipient(s):

Failed Recipient: {THEIRS}
Reason: Remote host: Connection timed out, message expired in queue after 5 days

   -- The header and top 20 lines of the message follows --

{ORIGINAL}"""

GERMAN = f"""Ihre Nachricht konnte nicht zugestellt werden.

<{THEIRS}>: Der Empfänger ist unbekannt.

{ORIGINAL}"""

SPAM = f"""A message from <{OURS}> to:
-> {THEIRS}

was considered unsolicited bulk e-mail (UBE). Delivery of the email was stopped!
"""


@pytest.mark.parametrize(
    ("body", "hard", "reason"),
    [
        (QMAIL, True, Reason.UNKNOWN_USER),
        (EXIM, True, Reason.UNKNOWN_USER),
        (EXIM_NO_ROUTE, True, Reason.UNKNOWN_DOMAIN),
        (SENDMAIL, True, Reason.UNKNOWN_USER),
        (SENDMAIL_FULL, False, Reason.MAILBOX_FULL),
        (GOOGLE_CONTENT, False, Reason.UNKNOWN_USER),
        (GOOGLE_RECIPIENT, True, Reason.UNKNOWN_USER),
        (EXCHANGE, True, Reason.UNKNOWN_USER),
        (NOTES, True, Reason.UNKNOWN_USER),
        (YAHOO, False, Reason.MAILBOX_FULL),
        (OPENSMTPD, True, Reason.UNKNOWN_DOMAIN),
        (FILTER, False, Reason.UNKNOWN_USER),
        (EXPIRED, False, Reason.EXPIRED),
        (GERMAN, True, Reason.UNKNOWN_USER),
        (SPAM, False, Reason.POLICY),
    ],
)
def test_a_bounce_in_any_layout(body: str, hard: bool, reason: Reason) -> None:
    read = read_mail(daemon(body))
    assert read.kind is IncomingKind.REPORT
    assert [(each.recipient, each.action, each.hard, each.reason) for each in read.results] == [
        (THEIRS, Action.FAILED, hard, reason)
    ]
    assert read.about == ((ABOUT,) if ORIGINAL in body else ())


def test_a_bounce_without_words_names_the_recipient_of_the_original() -> None:
    kind, body = multipart("mixed", ("text/plain", "メールを送信できませんでした。"), ("message/rfc822", ORIGINAL))
    read = read_mail(mail(body, sender="no-reply@mx.example", subject="エラー", more=f"Return-Path: <>\n{kind}"))
    assert [(each.recipient, each.hard, each.reason) for each in read.results] == [(THEIRS, False, Reason.OTHER)]
    assert read.about == (ABOUT,)


def test_two_recipients_in_one_text_have_their_own_reasons() -> None:
    body = EXIM.replace("------ This", "  b@klant.example\n    mailbox is full: retry timeout exceeded\n\n------ This")
    read = read_mail(daemon(body, more=f"X-Failed-Recipients: {THEIRS}, b@klant.example"))
    assert [(each.recipient, each.hard, each.reason) for each in read.results] == [
        (THEIRS, True, Reason.UNKNOWN_USER),
        ("b@klant.example", False, Reason.MAILBOX_FULL),
    ]


def test_a_delay_and_a_delivery_in_plain_text_are_no_bounces() -> None:
    delay = f"Warning: message to {THEIRS} delayed 4 hours\n\nNo action is required on your part.\n"
    done = f"Your message was successfully delivered to:\n\n  {THEIRS}\n"
    relayed = f"Your message to {THEIRS} was relayed to a system that sends no reports.\n"
    actions = [read_mail(daemon(each, subject="Status")).results[0].action for each in (delay, done, relayed)]
    assert actions == [Action.DELAYED, Action.DELIVERED, Action.RELAYED]


def test_a_bounce_in_html_alone_is_read() -> None:
    page = f"<html><p>Your message wasn't delivered to <b>{THEIRS}</b> because the address does not exist.<br>550 5.1.1"
    (result,) = read_mail(daemon(page, more="Content-Type: text/html; charset=utf-8")).results
    assert (result.recipient, result.hard, result.status) == (THEIRS, True, "5.1.1")


def test_a_person_who_sends_a_bounce_on_has_answered() -> None:
    read = read_mail(mail(f"Dit kreeg ik terug, klopt het adres?\n\n{QMAIL}", subject="Fwd: Undelivered Mail"))
    assert (read.kind, read.results) == (IncomingKind.ANSWER, ())


def test_a_gateway_with_a_name_of_its_own_is_known_by_subject_and_words() -> None:
    body = f"Could not be delivered because of\n\n550 5.1.1 User unknown\n\nRecipients affected:\n    {THEIRS}\n"
    read = read_mail(mail(body, sender="Filter <filter@mx.example>", subject='Undeliverable Mail: "Herinnering"'))
    assert [(each.recipient, each.hard) for each in read.results] == [(THEIRS, True)]
    person = read_mail(mail("Three boxes were not delivered.\n", subject="Delivery problem with order 4711"))
    assert person.kind is IncomingKind.ANSWER


def test_a_postmaster_may_be_a_person() -> None:
    read = read_mail(mail("Wij betalen morgen.\n", sender="postmaster@klant.example"))
    assert (read.kind, read.text) == (IncomingKind.ANSWER, "Wij betalen morgen.")


@pytest.mark.parametrize("of", ["\n", "> \n", " ", "-", "<", "deliver", "To:\n", "Message-ID:\n"])
def test_long_bodies_of_one_thing_are_read_with_bounded_work(of: str) -> None:
    """Each once took hours, or would have."""
    body = f"x{(of * 100_000)[:100_000]}x"
    assert read_mail(mail(body)).kind is IncomingKind.ANSWER
    kinds = {read_mail(each).kind for each in (daemon(body), mail(body, subject="Undeliverable: Herinnering"))}
    assert kinds <= {IncomingKind.REPORT, IncomingKind.ANSWER}
    result = read_mail(report("Final-Recipient: rfc822; a@b.example\nStatus: 5.1.1\n", text=body, original=body))
    assert [each.hard for each in result.results] == [True]
