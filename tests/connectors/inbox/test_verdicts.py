"""What servers say, and whether it condemns the address."""

import pytest

from connectors.inbox.incoming import Action, Reason
from connectors.inbox.refusals import judged
from connectors.inbox.verdicts import FINAL, RULES, Signs, judge

WRONG_ADDRESS = [
    (
        "550 5.1.1 <x@y.nl>: Recipient address rejected: User unknown in local recipient table (in "
        "reply to RCPT TO command)",
        "",
    ),
    (
        "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 "
        "double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces. Learn "
        "more at 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser",
        "",
    ),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient x@y.nl not found by SMTP address lookup", ""),
    ("550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found", ""),
    ("550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [XX.protection.outlook.com]", ""),
    (
        "554 delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [0] - "
        "mta1.mail.yahoo.com (in reply to RCPT TO command)",
        "5.0.0",
    ),
    ("550 No such user here (in reply to RCPT TO command)", "5.0.0"),
    ("550 Unrouteable address (in reply to RCPT TO command)", "5.0.0"),
    ("Unrouteable address", "5.0.0"),
    ("Host or domain name not found. Name service error for name=foo.nl type=A: Host not found", "5.4.4"),
    ("Sorry, no mailbox here by that name. (#5.1.1)", ""),
    ("Sorry, I couldn't find any host named foo.example. (#5.1.2)", ""),
    ("Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)", ""),
    ("550 5.1.2 <x@foo>... Host unknown (Name server: foo: host not found)", "5.1.2"),
    ("User jan (jan@y.nl) not listed in Domino Directory", "5.0.0"),
    ("User not listed in public Name & Address Book", ""),
    ("550 Requested action not taken: mailbox unavailable", "5.1.1"),
    ("550 Invalid recipient x@y (in reply to RCPT TO command)", "5.0.0"),
    ("550 5.1.1 User does not exist", ""),
    ("556 5.1.10 Recipient address has null MX", ""),
    ("Domain example.nl does not accept mail (nullMX)", "5.1.0"),
    ("No MX found for destination", ""),
    ('unknown local-part "jan" in domain "y.nl"', ""),
    ("550 5.1.1 unknown or illegal alias: x@y", ""),
    ("550 sorry, no mailbox here by that name (#5.1.1 - chkusr)", ""),
    ("550 5.1.6 Recipient no longer on server", ""),
    ("user unknown", "5.1.1"),
    ("550 unknown user account (in reply to RCPT TO command)", "5.0.0"),
    ("550 5.1.1 Mailbox does not exist", ""),
    ("The recipient name is not recognized\n MSEXCH:IMS:X 0 (000C05A6) Unknown Recipient", ""),
    ("The e-mail account does not exist at the organization this message was sent to. <mx.y.nl #5.1.1>", ""),
    ("Delivery failed: 550 Benutzer unbekannt (in reply to RCPT TO command)", ""),
    ("550 5.1.1 Mailadresse existiert nicht", ""),
    ("550 #5.1.0 Address rejected. (in reply to RCPT TO command)", ""),
    ("550 5.1.1 <x>: Email address could not be found, or was misspelled (G8)", ""),
    ("550 Account x@y does not exist. (in reply to RCPT TO command)", ""),
    ("553 5.1.2 unable to find MX", "5.1.2"),
    ("550 MAILBOX NOT FOUND (in reply to RCPT TO command)", ""),
    ("550 x@y.nl is not a valid mailbox (in reply to RCPT TO command)", ""),
    ("551 5.1.1 User not local (in reply to RCPT TO)", ""),
    ("550 recipient rejected. Recipient not in our directory (in reply to RCPT TO command)", ""),
    ("521 5.3.2 this host does not accept mail", ""),
    ("550 5.7.1 No such user! - psmtp (in reply to RCPT TO command)", ""),
    ("all relevant MX records point to non-existent hosts", "5.0.0"),
    ("This user does not exist on this server", "5.0.0"),
    ("550 5.1.1 Address does not exist", ""),
    ("550 5.2.0 no such mailbox (in reply to RCPT TO command)", ""),
    ("550 5.1.1 sorry, this address no longer accepts mail", ""),
    ("550 Addressee unknown (in reply to RCPT TO command)", ""),
    ("#5.1.1 bad address x@y", ""),
    ("550 User not found: x@y (in reply to RCPT TO command)", ""),
    ("550 RCPT TO:<x@y> User unknown", ""),
    ("no such address here", ""),
    ("no such person at this address", "5.1.1"),
    ("550 5.1.1 <x@y>... User Unknown (in reply to RCPT TO command)", "5.1.1"),
    ("Name service error: unknown mail host", "5.1.2"),
    ("554 Unknown recipient (in reply to RCPT TO command)", ""),
    ("550 5.0.1 recipient unknown (in reply to RCPT TO command)", ""),
    ("550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", ""),
    ("DNS Error: DNS type 'mx' lookup of y.nl responded with code NXDOMAIN Domain name not found: y.nl", "4.0.0"),
    ("Error: No valid recipients for this MM", ""),
]
NOT_THE_ADDRESS = [
    ("552 5.2.2 mailbox full", ""),
    ("450 4.1.1 unverified address: user unknown", "4.1.1"),
    ("452 4.2.2 over quota", ""),
    ("550 5.2.1 The email account that you tried to reach is disabled.", ""),
    (
        "554 delivery error: dd Sorry your message to x@yahoo.com cannot be delivered. This account has "
        "been disabled or discontinued [#102].",
        "",
    ),
    ("550 5.7.1 Unable to relay", ""),
    ("550 5.7.1 <x@y>: Relay access denied (in reply to RCPT TO command)", ""),
    ("550 5.1.8 <a@b>: Sender address rejected: Domain not found (in reply to RCPT TO command)", ""),
    ("550 5.7.1 Service unavailable; client [1.2.3.4] blocked using Spamhaus (in reply to RCPT TO command)", ""),
    ("550 Unknown user x@docomo.ne.jp (in reply to end of DATA command)", "5.0.0"),
    ("Host or domain name not found. Name service error for name=foo type=MX: Host not found, try again", "4.4.3"),
    ("connect to mx.y.nl[1.2.3.4]:25: Connection timed out", "4.4.1"),
    ("550 5.7.26 This mail is unauthenticated", ""),
    ("550-5.7.1 Our system has detected that this message is likely unsolicited mail", ""),
    ("554 5.7.1 Message rejected under suspicion of SPAM", ""),
    ("550 Message is too large", ""),
    ("550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", ""),
    ("550 5.4.6 Hop count exceeded - possible mail loop", ""),
    ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", ""),
    ("550 5.7.1 [1.2.3.4] Our system: reverse DNS does not exist", ""),
    ("450 4.7.1 Client host rejected: cannot find your reverse hostname", ""),
    ("554 5.7.1 Client host rejected: Access denied (in reply to RCPT TO command)", ""),
    ("550 Client host name does not exist (in reply to HELO command)", ""),
    ("delivery retry timeout exceeded", ""),
    ("550 5.7.606 Access denied, banned sending IP", ""),
    ("550 5.7.1 This message has been blocked because it contains virus", ""),
    ("552 Requested mail action aborted: exceeded storage allocation", ""),
    ("550 5.7.0 Local Policy Violation", ""),
    ("554 5.4.14 Hop count exceeded", ""),
    ("550 sender rejected: unknown user (in reply to MAIL FROM command)", ""),
    ("421 4.7.0 Try again later", ""),
    ("550 4.4.7 QUEUE.Expired; message expired", "4.4.7"),
    ("550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.", ""),
    ("550 5.7.515 Access denied, sending domain doesn't meet the required authentication level", ""),
    ("550 Blocked (in reply to RCPT TO command)", "5.1.1"),
    ("Mailbox is inactive", "5.0.0"),
    ("554 Message not allowed - PH01 Email not accepted for policy reasons", ""),
    ("550 5.5.1 protocol error", ""),
    ("550 Recipient mailbox has exceeded quota (in reply to RCPT TO command)", "5.1.1"),
    ("550 5.6.0 Lone CR or LF in headers (see RFC2822 section 2.2)", ""),
    (
        "550 SC-001 Mail rejected by Outlook.com for policy reasons. If you are not an email/network "
        "admin please contact your E-mail/Internet Service Provider",
        "",
    ),
    (
        "554 5.7.1 The message from <a@b> with the subject of x matches a profile the Internet "
        "community may consider spam",
        "",
    ),
    ("550 The recipient cannot accept messages from your domain; user not authorised", ""),
    ("550 5.2.0 STOREDRV.Deliver; mailbox disabled", ""),
    ("mail for x loops back to myself", "5.4.6"),
    ("550 5.7.1 Message rejected: sender domain does not exist", ""),
    ("554 5.7.1 recipient reject messages with invalid From: header address does not exist", "5.7.1"),
    ("550 Access denied - user unknown sender verify failed", ""),
    ("temporary lookup failure", "4.3.0"),
    ("Delivery not authorized, message refused", ""),
    ("550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy", ""),
    ("This account is temporarily disabled 550", ""),
    ("550 <x@y>: user suspended (in reply to RCPT TO command)", ""),
    ("554 5.6.1 Body type not supported by Remote Host", ""),
    ("552 5.2.3 Message length exceeds fixed limit", ""),
    ("The number of messages in recipient's mailbox exceeded the local limit.", ""),
    ("550 5.7.1 Email cannot be delivered. Reason: Email detected as Spam by spam filters.", ""),
    ("550 5.1.1 <x>... relaying denied", ""),
    ("5.1.0 - Unknown address error 550-'5.7.1 looks like spam' (delivery attempts: 0)", ""),
    ("This address is suppressed because it has a history of bouncing as an invalid address", "5.1.1"),
    ("450 user unknown", "4.0.0"),
    ("Your email was refused because its header is invalid", ""),
    ("550 cannot find you, IP address not found (in reply to RCPT TO command)", ""),
    ("550 the mailing list is closed (in reply to RCPT TO command)", ""),
    ("550 user not in the whitelist (in reply to RCPT TO command)", ""),
    ("550 your host does not have a valid reverse address (in reply to RCPT TO command)", ""),
    ("The address may be invalid or the user unknown.", "5.0.0"),
    ("If the account does not exist, tell the sender.", ""),
    ("550 5.1.1 user unknown (in reply to MAIL FROM command)", ""),
    (
        "Please contact the postmaster for mail to unknown-user@klant.example, see https://klant.example/user-unknown",
        "",
    ),
]


@pytest.mark.parametrize(("said", "status"), WRONG_ADDRESS)
def test_an_address_that_is_wrong_is_condemned(said: str, status: str) -> None:
    for result in (
        judged(Action.FAILED, "x@y.nl", said, status, ""),
        judged(Action.FAILED, "x@y.nl", "", status, f"Your message came back.\n\n<x@y.nl>:\n{said}\n"),
    ):
        assert result.hard, result
        assert result.reason in FINAL


@pytest.mark.parametrize(("said", "status"), NOT_THE_ADDRESS)
def test_an_address_is_not_condemned_for_something_else(said: str, status: str) -> None:
    for result in (
        judged(Action.FAILED, "x@y.nl", said, status, ""),
        judged(Action.FAILED, "x@y.nl", "", status, f"Your message came back.\n\n<x@y.nl>:\n{said}\n"),
    ):
        assert not result.hard, result


def test_a_delay_condemns_nobody() -> None:
    assert not judged(Action.DELAYED, "x@y.nl", "550 5.1.1 user unknown", "5.1.1", "").hard


def test_every_rule_names_its_source_and_every_reason_has_a_rule() -> None:
    assert all(rule.source for rule in RULES)
    assert {rule.reason for rule in RULES} | {Reason.NONE, Reason.OTHER} == set(Reason)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("552 5.2.2 mailbox full", Reason.MAILBOX_FULL),
        ("552 5.3.4 message size exceeds fixed limit", Reason.TOO_BIG),
        ("554 5.7.1 blocked using a blacklist", Reason.BLOCKED),
        ("550 5.7.1 message is likely spam", Reason.POLICY),
        ("550 5.6.0 virus found", Reason.CONTENT),
        ("554 5.4.7 delivery expired", Reason.EXPIRED),
        ("connection timed out", Reason.NETWORK),
        ("550 5.2.1 account is disabled", Reason.DISABLED),
        ("550 5.1.6 mailbox has moved", Reason.MOVED),
        ("550 5.1.2 no such domain", Reason.UNKNOWN_DOMAIN),
        ("550 5.3.0 something else", Reason.OTHER),
    ],
)
def test_the_reason_tells_what_to_do_with_the_address(said: str, reason: Reason) -> None:
    status = next((word for word in said.split() if word[0] == "5" and "." in word), "")
    assert judge(Signs(said, status, 550)).reason is reason
