"""What a refusal means for the address: one table, read from the top; the first rule that holds decides.

Servers say the same thing in three ways: the enhanced status code (RFC 3463 and the IANA registry of its codes), the
SMTP reply (RFC 5321), and words of their own. Precise codes go before words, words before vague codes.

An address is condemned only on good evidence, for a wrong verdict silences a customer with whom nothing is wrong: the
code says so (X.1.1), or our own mail system does, or the server said so of this very recipient, in reply to RCPT TO.
What a server says later, or to what we do not know, may be a filter's word: `unknown_user` without being hard.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.inbox.incoming import Reason
from connectors.inbox.parts import ADDRESS

FINAL = frozenset({Reason.UNKNOWN_USER, Reason.UNKNOWN_DOMAIN, Reason.MOVED})
"""Reasons that lie in the address."""
BEFORE_RECIPIENT = frozenset({"CONNECT", "EHLO", "HELO", "LHLO", "AUTH", "STARTTLS", "MAIL"})
"""Commands whose refusal cannot be about the recipient (RFC 5321, 4.1.4)."""
URL = re.compile(r"(?:https?://|www\.)\S*")
SENTENCE_END = re.compile(r"[.!?](?=\s)|\n\s*\n")
SUPPOSED = re.compile(r"\b(?:may|might|if|whether|could be|either|possibly|perhaps|probably)\b")
"""`The address may be wrong, or the mailbox full` condemns nobody."""
LONGEST = 8_000


@dataclass(frozen=True, slots=True)
class Signs:
    """What a report tells of a refusal, as far as it tells."""

    words: str
    status: str = ""
    reply_code: int | None = None
    command: str = ""
    """The SMTP command that was refused, such as RCPT; empty if unknown."""

    @property
    def detail(self) -> str:
        """Subject and detail of the status, such as 1.1."""
        return self.status.partition(".")[2]

    @property
    def passing(self) -> bool:
        """Whether the server called it temporary."""
        if self.status and not self.status.endswith(".0.0"):
            return self.status.startswith("4")
        return self.reply_code in range(400, 500)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why, and whether the address is to blame for good."""

    reason: Reason
    hard: bool
    clear: bool
    """Whether words or a precise code decided; else more words may tell more."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Holds if all that it names holds: words, one of the details of a status, its subject, a reply."""

    reason: Reason
    source: str
    """Who says that this is what it means."""
    words: re.Pattern[str] | None = None
    details: frozenset[str] = frozenset()
    subject: str = ""
    code: int | None = None
    clear: bool = True

    def holds(self, signs: Signs, words: str) -> bool:
        """Whether it decides this refusal; `words` are those of the signs, plain."""
        if self.details and signs.detail not in self.details:
            return False
        if self.subject and signs.detail.partition(".")[0] != self.subject:
            return False
        if self.code and signs.reply_code != self.code:
            return False
        return self.words is None or bool(self.words.search(words))


def judge(signs: Signs) -> Verdict:
    """What a refusal with these signs means."""
    words = plain(signs.words)
    for rule in RULES:
        if rule.holds(signs, words):
            return Verdict(rule.reason, rule.reason in FINAL and _is_of_address(rule, signs), rule.clear)
    return Verdict(Reason.OTHER, hard=False, clear=False)


def plain(words: str) -> str:
    """Words in lower case, on one line, without what must not be taken for them: addresses, links, and suppositions."""
    without = ADDRESS.sub(" @ ", URL.sub(" ", words[:LONGEST])).lower().replace("’", "'")
    sentences = SENTENCE_END.split(without)
    return ". ".join(" ".join(each.split()) for each in sentences if not SUPPOSED.search(each))


def _is_of_address(rule: Rule, signs: Signs) -> bool:
    if signs.passing or signs.command in BEFORE_RECIPIENT:
        return False
    by_code = bool(rule.details) or signs.detail.startswith("1.")
    by_our_own = signs.reply_code is None and not signs.command
    return rule.reason is not Reason.UNKNOWN_USER or by_code or by_our_own or signs.command == "RCPT"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


def _rule(reason: Reason, source: str, *words: str, details: Sequence[str] = (), clear: bool = True) -> Rule:
    return Rule(reason, source, _any(*words) if words else None, frozenset(details), clear=clear)


_WHO = r"(?<!ip )\b(?:users?|account|mailbox|recipient|address|addressee|alias|local part|maildrop|person)\b"
_NOT_THERE = (
    r"(?:does ?n[o']t exist|does not exist|doesn't exist|do not exist|don't exist|not exist\b|unknown\b|not found|"
    r"not be found|cannot be found|couldn't be found|wasn't found|no longer (?:exists?|valid|in use|available|"
    r"with|works)|"
    r"not known|not recogni[sz]ed|not (?:a )?valid\b|not listed|non-?existent|invalid\b|has been deleted|"
    r"was deleted|has been removed|has been closed|is closed|"
    r"not in (?:our|the|my) (?:directory|database|system|domain))"
)

RULES: tuple[Rule, ...] = (
    _rule(
        Reason.POLICY,
        "common replies to MAIL FROM: it is the sender that they refuse",
        r"\bsender(?:'s)?(?: e-?mail)?(?: address)?(?: was| is)? ?(?:rejected|denied|refused|blocked|unknown|"
        r"invalid|not)",
        r"(?:unknown|invalid|bad|unauthenticated|unverified) sender",
        r"sender (?:verif|address verif|domain|id\b)",
        r"\bmail from\b.{0,40}(?:reject|denied|refused|not)",
        r"domain of (?:the )?sender",
        r"return path",
        r"(?:your|from) (?:e-?mail )?address.{0,30}(?:reject|not (?:allowed|permitted|authori))",
    ),
    _rule(Reason.DISABLED, "Amazon SES and others: not even tried, as earlier mails came back", r"suppress(?:ed|ion)"),
    _rule(
        Reason.MAILBOX_FULL,
        "RFC 3463 X.2.2, and its usual words",
        r"(?:mail ?box|inbox|mail ?folder|maildir|account|user|recipient|storage)\b.{0,60}\b(?:is |too |are )?full\b",
        r"full (?:mail ?box|inbox)",
        r"(?:over|exceed\w*|out of)\b.{0,40}\bquota",
        r"quota\b.{0,40}(?:exceed|full|violat|reach)",
        r"\bquota (?:error|check|limit)",
        r"overquota",
        r"insufficient (?:disk |storage |system storage)?(?:space|quota|storage)",
        r"(?:mailbox|account|storage|disk)\b.{0,60}exceed\w*\b.{0,40}\b(?:limit|size|space|storage|maximum)",
        r"too many messages (?:in|on)",
        r"postfach.{0,30}voll",
        r"mailbox (?:zit|is) vol\b",
        r"bo[iî]te.{0,30}pleine",
        r"buz[oó]n.{0,30}lleno",
    ),
    _rule(Reason.POLICY, "RFC 3463 X.1.7, X.1.8: the sender's address", details=("1.7", "1.8")),
    _rule(Reason.MAILBOX_FULL, "RFC 3463 X.2.2", details=("2.2",)),
    _rule(Reason.TOO_BIG, "RFC 3463 X.2.3, X.3.4", details=("2.3", "3.4")),
    _rule(Reason.DISABLED, "RFC 3463 X.2.1; RFC 7372 and IANA: X.7.13", details=("2.1", "7.13")),
    _rule(Reason.MOVED, "RFC 3463 X.1.6; RFC 7293 X.7.17, X.7.18: another owner", details=("1.6", "7.17", "7.18")),
    _rule(
        Reason.UNKNOWN_USER,
        "Exchange Online refuses unknown recipients at its edge so",
        r"recipient address rejected: access denied",
        details=("4.1",),
    ),
    _rule(Reason.UNKNOWN_USER, "Outlook.com refuses unknown recipients so", r"mailbox unavailable", details=("5.0",)),
    _rule(
        Reason.UNKNOWN_USER,
        "RFC 3463 X.1.1, said twice",
        rf"{_WHO}[^.;!?]{{0,80}}?{_NOT_THERE}",
        details=("1.1", "1.3", "1.10"),
    ),
    _rule(
        Reason.POLICY,
        "RFC 5321 3.6.2: relaying refused; RFC 3463 X.7.1",
        r"relay(?:ing)? (?:access |is |was )?(?:denied|not|prohibited|refused|restrict)",
        r"(?:unable|not (?:able|permitted|allowed)) to relay",
        r"(?:no|not?) relay",
        r"allowed rcpthosts",
        r"not (?:gateway|a gateway)",
        r"authentication (?:is )?required",
        r"prohibited by administrator",
        r"\bsmtp auth",
        r"must (?:be )?authenticat",
        r"administrative(?:ly)? prohibit",
    ),
    _rule(
        Reason.BLOCKED,
        "common replies to a host of bad repute or too fast a pace",
        r"\b(?:black|block|deny) ?-?list",
        r"\b(?:dns)?[rd]n?s?bl\b",
        r"spamhaus|spamcop|barracudacentral|senderbase|proofpoint",
        r"(?:client|your|ip|remote|sending) (?:host|ip|address|server|mail server|network)\b.{0,60}(?:reject|"
        r"block|ban|denied|refus|not allowed)",
        r"\bblocked\b",
        r"\bbanned\b.{0,30}(?:ip|host|send)",
        r"reputation",
        r"reverse dns|\bptr\b|reverse lookup|reverse hostname|hostname lookup",
        r"rate ?-?limit|throttl|too many (?:connect|mail|messages|recipients|concurrent|sessions|errors|invalid)",
        r"gr[ea]ylist",
        r"unusual rate|too (?:fast|quickly|frequent)",
    ),
    _rule(Reason.UNKNOWN_USER, "RFC 3463 X.1.1, X.1.3; Microsoft 5.1.351", details=("1.1", "1.3", "1.351")),
    _rule(
        Reason.UNKNOWN_DOMAIN,
        "RFC 3463 X.1.2; RFC 7505 X.1.10 null MX; Microsoft 5.4.310",
        details=("1.2", "1.10", "4.310"),
    ),
    _rule(
        Reason.DISABLED,
        "RFC 3463 X.2.1 in words: it may be switched on again",
        rf"{_WHO}[^.;!?]{{0,80}}?(?:disabled|deactivated|suspended|\binactive|inactivated|discontinued|\blocked|"
        rf"frozen|terminated|"
        r"not active|not enabled|on hold|unavailable or access denied)",
        r"(?:disabled|deactivated|suspended|inactive|locked|expired) (?:user|account|mailbox|recipient|address)",
        r"(?:account|mailbox)(?: has| is)? expired",
        r"(?:konto|postfach|adresse).{0,30}(?:deaktiviert|gesperrt)",
    ),
    _rule(
        Reason.MOVED,
        "RFC 3463 X.1.6, RFC 5321 551, in words",
        r"(?:user|mailbox|recipient|address|account|he|she)\b.{0,20}\b(?:has|have) (?:moved|changed (?:its|his|"
        r"her|their)? ?address)",
        r"address (?:has )?(?:been )?changed",
        r"has been replaced by",
        r"no forwarding address",
        r"(?:new|changed) (?:e-?mail )?address is",
    ),
    _rule(
        Reason.UNKNOWN_USER,
        "RFC 3463 X.1.1 in words",
        r"(?:unknown|no such|non-?existent|nonexistent|nonexistant|invalid|unrecogni[sz]ed|undeliverable|bad|"
        r"wrong|incorrect|illegal) "
        r"(?:local |destination |final |e-?mail |mail |virtual |smtp |to )?(?:user|recipient|address|mailbox|"
        r"account|addressee|alias|person|"
        r"local part|local-part|rcpt|subscriber|employee)(?! error)",
        r"no (?:such )?(?:mailbox|user|account|recipient|person|address|one|body)\b.{0,40}\b(?:here|"
        r"by that name|by this name|with that|at this|found|exists?)",
        r"nobody by that name",
        r"no valid recipients?",
        r"not (?:our|my|a) (?:customer|user|subscriber|client|known user|local user|valid (?:user|mailbox|"
        r"recipient|address|account|e-?mail))",
        r"(?:does not|doesn't) (?:handle|know) .{0,40}(?:user|account|mailbox|recipient)",
        r"(?:does not|doesn't) have (?:a|an|any) .{0,30}(?:account|mailbox|user)",
        r"user ?unknown|unknownuser|usernotfound|recipnotfound|recipientnotfound|recipient ?notfound",
        r"addr(?:ess)? unknown|unknown addr(?!ess error)",
        r"no longer (?:accepts? (?:e-?)?mail|employed|with (?:the|this|our) |works? )",
        r"left (?:the|our) (?:company|organi[sz]ation)",
        r"(?:empf[aä]nger|benutzer|adresse|e-mail-adresse|nutzer|adressat)\b.{0,60}(?:unbekannt|existiert nicht|"
        r"nicht gefunden|nicht (?:bekannt|vorhanden)|ung[uü]ltig)",
        r"(?:unbekannter|ung[uü]ltiger) (?:empf[aä]nger|benutzer)",
        r"(?:gebruiker|ontvanger|adres|postbus|mailbox)\b.{0,60}(?:onbekend|bestaat niet|niet gevonden|ongeldig)",
        r"onbekende (?:gebruiker|ontvanger)",
        r"(?:utilisateur|destinataire|adresse|bo[iî]te)\b.{0,60}(?:inconnue?|n'existe (?:pas|plus)|introuvable|"
        r"non valide)",
        r"(?:usuario|destinatario|cuenta|buz[oó]n|direcci[oó]n)\b.{0,60}(?:desconocid|no existe|no encontrad|"
        r"inexistente)",
        r"(?:utente|destinatario|casella|indirizzo)\b.{0,60}(?:sconosciut|non esiste|inesistente|non trovat)",
        rf"{_WHO}[^.;!?]{{0,80}}?{_NOT_THERE}",
    ),
    _rule(
        Reason.UNKNOWN_DOMAIN,
        "RFC 3463 X.1.2 and RFC 7504, 7505 in words",
        r"(?:unknown|no such|non-?existent|invalid|bad|illegal) (?:mail |destination |e-?mail |"
        r"recipient )?(?:host|domain|system)",
        r"(?:host|domain|hostname|domain name)\b.{0,60}?(?:unknown|not found|not be found|does not exist|"
        r"doesn't exist|non-?existent|invalid|not resolve|unresolvable)(?!.{0,30}try again)",
        r"unrout(?:e)?able (?:address|mail domain|domain)",
        r"nxdomain",
        r"name or service not known",
        r"no mx (?:record |host )?(?:found|for|exist)",
        r"couldn't find (?:any|a) (?:host|mail exchanger)",
        r"(?:an )?mx or srv record indicated no smtp service",
        r"null ?mx",
        r"mx records? point to non-?existent",
        r"all host address lookups failed permanently",
        r"no (?:smtp|mail) service",
        r"(?:domain|host|system|server|mx|destination)\w*\b.{0,40}(?:does not|doesn't|do not|never) (?:accept|"
        r"receive) (?:any )?(?:e-?)?mail(?! from)",
        r"(?:seem to |is )?reject(?:s|ing)? all mails?",
    ),
    _rule(Reason.UNKNOWN_DOMAIN, "RFC 7504: 521 and 556, the host takes no mail", details=("3.2",)),
    Rule(Reason.UNKNOWN_DOMAIN, "RFC 7504: 521 and 556, the host takes no mail", code=556),
    _rule(
        Reason.POLICY,
        "RFC 3463 X.7.1 in words: taken for spam, or against a rule of theirs",
        r"\bspam",
        r"unsolicited",
        r"\bbulk (?:e-?)?mail",
        r"\bube\b|\buce\b",
        r"\bjunk\b",
        r"\bdmarc\b|\bdkim\b|\bspf\b",
        r"polic(?:y|ies)",
        r"access (?:is )?denied",
        r"not (?:authori[sz]ed|permitted|allowed|accepted)",
        r"permission",
        r"restricted",
        r"moderat(?:ed|or)",
        r"authrequired|notauthorized|notauthorised",
        r"not accept(?:ing)? (?:mail|messages) from",
        r"rejected by (?:the )?(?:recipient|user|system|content)",
    ),
    _rule(
        Reason.TOO_BIG,
        "RFC 3463 X.2.3, X.3.4 in words",
        r"(?:message|mail|e-?mail|size|length|line)\b.{0,60}(?:too (?:big|large|long)|exceed\w*)",
        r"size limit|line limit|maximum (?:message )?size|sizelimit",
        r"too large",
        r"nachricht.{0,30}zu gro",
    ),
    _rule(
        Reason.CONTENT,
        "RFC 3463 X.6 in words",
        r"\bvirus",
        r"malware|infected|phish",
        r"attachment",
        r"content (?:reject|error|filter|restrict)",
        r"(?:invalid|bad) mime|mime (?:error|format)",
        r"(?:invalid|missing|malformed|bad|duplicate|in) headers?\b|header (?:field|error)",
        r"rfc ?-?(?:2?822|5322)",
        r"media error",
        r"malformed|syntax",
        r"8-?bit",
    ),
    _rule(
        Reason.EXPIRED,
        "RFC 3463 X.4.7 in words",
        r"(?:delivery|retry|queue|message)\b.{0,40}(?:time ?-?out|timed out|expired|exceeded)",
        r"(?:too long|too old|over time) in (?:the )?queue",
        r"could not be delivered (?:for|within|after)",
        r"not (?:been )?deliver\w* (?:for|within|after) (?:the (?:last|past) )?\d",
        r"giving up",
        r"retry time",
        r"have been failing for a long time",
    ),
    _rule(
        Reason.NETWORK,
        "RFC 3463 X.4 in words",
        r"connect(?:ion|ed)?\b.{0,40}(?:refused|timed|time ?out|reset|lost|dropped|fail|clos)",
        r"no route|unreachable|network|not reachable",
        r"\bloop|hop count|too many hops",
        r"name server|\bdns\b|try again",
        r"\btls\b|starttls",
        r"time ?out|timed out",
    ),
    _rule(Reason.UNKNOWN_USER, "RFC 3463 X.1.0: something is wrong with the address", details=("1.0",), clear=False),
    _rule(Reason.EXPIRED, "RFC 3463 X.4.7", details=("4.7",)),
    _rule(Reason.UNKNOWN_DOMAIN, "RFC 3463 X.4.4: nowhere to route it to", details=("4.4",), clear=False),
    Rule(Reason.NETWORK, "RFC 3463 X.4", subject="4", clear=False),
    Rule(Reason.CONTENT, "RFC 3463 X.6", subject="6", clear=False),
    Rule(Reason.POLICY, "RFC 3463 X.7", subject="7", clear=False),
    Rule(Reason.MAILBOX_FULL, "RFC 5321: 552 exceeded storage allocation", code=552, clear=False),
)
