"""Bounces that follow no standard: told by who writes, and by what is written."""

import re

from connectors.inbox.automatic import has_automatic_subject, has_no_way_back, is_marked_automatic
from connectors.inbox.incoming import MOST_RECIPIENTS, Action, Result
from connectors.inbox.parts import Mail, address, addresses
from connectors.inbox.refusals import MARKED_REPLY, above_original, below_original, by_recipient, judged

DAEMON = re.compile(
    r"mailer.?daemon|mail.?daemon|mdaemon|mail deliver\w{0,9} (?:sub)?(?:system|service)|delivery subsystem", re.I
)
"""Names that only mail systems have."""
MASTER = re.compile(
    r"^post.?master\b|system administrator|mail (?:administrator|system|server)|internet mail delivery|"
    r"microsoft exchange",
    re.I,
)
"""Names that mail systems have, and the people who mind them."""
MACHINE = re.compile(
    r"^(?:no.?reply|do.?not.?reply|.*-(?:admin|owner|request|bounces?)|owner-.*|daemon|sysadmin|system|"
    r"mail.?system|smtp|majordomo|mailmarshal|interscan)$",
    re.I,
)
FAILURE = re.compile(
    r"undeliver|non-?deliver|not (?:be |been |could be |yet been )?deliver|(?:un|non)?delivery (?:has |problem|"
    r"fail|error|status)|deliver\w{0,9} (?:has )?fail|"
    r"fail\w* (?:to |for )?deliver|delivery problem|could ?n[o']t (?:be )?(?:deliver|sen[dt])|returned (?:mail|"
    r"to sender|message|email)|return(?:ing)? (?:message )?to sender|"
    r"mail (?:system )?(?:error|failure)|failure notice|error (?:message|while|occurred|delivering)|"
    r"delivery (?:was )?(?:delayed|delay)|unable to (?:deliver|send)|can(?:'|no)?t (?:be )?(?:deliver|send)|"
    r"rejected|permanent(?:ly)? (?:fatal )?(?:error|fail)|was blocked|loop alert|mail loop|ignored|"
    r"not (?:a )?member|malformed (?:recipient )?address|message (?:not sent|delivery)|not sent|bounce|"
    r"unzustellbar|nicht (?:zugestellt|ausgeliefert)|onbestelbaar|niet (?:worden )?(?:bezorgd|afgeleverd)|"
    r"non (?:remis|distribu)|échec|no (?:se )?(?:ha podido|pudo) entreg|non recapitabil|"
    r"не доставлено|не может быть доставлено|不達|送信できません|配信できません|エラー",
    re.I,
)
SUBJECT = re.compile(
    r"^\W*(?:undeliver|returned mail|return(?:ed|ing) to sender|failure notice|non-?delivery|nondeliverable|"
    r"(?:mail|message|e-?mail) (?:could not be (?:sent|delivered)|not delivered|delivery|undeliver|status - undeliver)|"
    r"delivery (?:status notification|notification|failure)|"
    r"unzustellbar|onbestelbaar|non remis|no se puede entregar|impossibile recapitare)",
    re.I,
)
"""How a bounce begins; what a person sends on says so first."""
DELAY = re.compile(
    r"\b(?:delivery|message) (?:is |was |has been |status notification \()?delay|not yet been delivered|"
    r"will (?:be retried|keep trying|continue to (?:be )?(?:try|retri|attempt))|"
    r"still being (?:re)?tried|warning: (?:could not|message)|temporarily (?:deferred|delayed)|"
    r"do not need to resend|no action is required",
    re.I,
)
ARRIVED = re.compile(
    r"success(?:fully|ful) (?:delivered|delivery|relayed|mail delivery)|\(success\)|(?:was|has been|"
    r"were) (?:successfully )?delivered|successful mail delivery report",
    re.I,
)
RELAYED = re.compile(r"(?:was|has been|were|successfully) relayed|\(relay\)", re.I)
GIVEN_UP = re.compile(r"permanent|giving up|given up|\(failure\)|undeliverable", re.I)
FAILED = re.compile(r"permanent|giv(?:ing|en) up|\bnot\b|n't\b|cannot|fail|undeliver|reject|error|unable", re.I)
NAMED = re.compile(
    r"^[\s<>(\"'*-]{0,80}[^\s<>@]{1,128}@[^\s<>@]|(?:recipient|addressed|rcpt to|\bto|deliver\w{0,9}|address(?:es)?|"
    r"undeliverable|following|user|host|failed)\b.{0,80}@",
    re.I,
)
"""Lines on which the address that failed stands."""


def bounce_results(mail: Mail) -> tuple[Result, ...]:
    """What a report without a standard part says; nothing where the mail is no report."""
    seen = above_original(mail.text)
    if not is_of_mail_system(mail, seen):
        return ()
    failed = _recipients(mail, seen) or [""]
    said = f"{mail.first('subject')}\n{seen}"
    action = _action(said)
    return tuple(judged(action, each, "", "", text) for each, text in by_recipient(seen, failed).items())


def is_of_mail_system(mail: Mail, seen: str) -> bool:
    """Whether a mail system wrote, and of a message of ours; `seen` is its own text."""
    if "x-failed-recipients" in mail.headers or _writes_as(DAEMON, mail):
        return True
    subject = mail.first("subject")
    told = f"{subject}\n{seen[:4_000]}"
    of_delivery = any(pattern.search(told) for pattern in (FAILURE, DELAY, ARRIVED, RELAYED))
    shown = _has_original(mail) or bool(MARKED_REPLY.search(seen))
    if _writes_as(MASTER, mail):
        return (of_delivery or shown) and not has_automatic_subject(mail)
    if is_marked_automatic(mail) or not of_delivery:
        return False
    if SUBJECT.match(subject) and "in-reply-to" not in mail.headers and (shown or NAMED.search(seen)):
        return True
    if MACHINE.match(address(mail.first("from")).partition("@")[0]):
        return shown or bool(FAILURE.search(subject))
    # Holiday notes have no way back either, and may quote what they answer.
    return has_no_way_back(mail) and bool(MARKED_REPLY.search(seen))


def _writes_as(names: re.Pattern[str], mail: Mail) -> bool:
    """Whether the name or the local part of From, or the path that it came by, is one of these."""
    name, _, rest = mail.first("from").replace('"', "").strip().partition("<")
    local, path = rest.partition("@")[0], mail.first("return-path").strip("<> ")
    return any(names.search(each.strip()) for each in (name, local, path))


def _has_original(mail: Mail) -> bool:
    return bool(
        mail.of_kind("message/rfc822", "text/rfc822-headers", "text/rfc822-header") or below_original(mail.text)
    )


def _action(said: str) -> Action:
    if DELAY.search(said) and not GIVEN_UP.search(said):
        return Action.DELAYED
    if FAILED.search(said):
        return Action.FAILED
    if RELAYED.search(said):
        return Action.RELAYED
    return Action.DELIVERED if ARRIVED.search(said) else Action.FAILED


def _recipients(mail: Mail, seen: str) -> list[str]:
    """The addresses that it is about: as the header lists them, else the text, else to whom the message went."""
    told = [each for value in mail.headers.get("x-failed-recipients", ()) for each in addresses(value)]
    ours = {each for name in ("to", "from", "delivered-to") for each in addresses(mail.first(name))}
    if not told:
        lines = seen.split("\n")
        named = addresses("\n".join(line for line in lines if NAMED.search(line[:300])))
        told = [each for each in named if each not in ours]
    if not told:
        originals = [part.headers for part in mail.of_kind("message/rfc822")]
        told = [each for headers in originals for value in headers.get("to", ()) for each in addresses(value)]
    if not told:
        told = [each for each in addresses(seen) if each not in ours]
    if not told:
        told = addresses("\n".join(re.findall(r"^[ \t]*To:(.*)$", below_original(mail.text), re.M | re.I)[:1]))
    return told[:MOST_RECIPIENTS]
