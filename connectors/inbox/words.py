"""The words of a mail: HTML as text, and what a person wrote without what they quote."""

import re
from html import unescape

BREAKS = frozenset({"address", "blockquote", "br", "div", "h1", "h2", "h3", "h4", "hr", "li", "p", "table", "tr"})
UNSEEN = frozenset({"script", "style", "title"})
TAG = re.compile(r"<!--|<(?P<end>/?)(?P<name>[a-z][a-z0-9]{0,20})\b[^<>]{0,5000}>|<![a-z][^<>]{0,5000}>", re.I)
LONGEST_LINE = 300
"""Characters of a line that are searched for the head of a quotation."""

_WROTE = "wrote|schreef|geschreven|schrieb|a écrit|écrivait|escribió|ha scritto|escreveu|skrev|napisał|napisała"
_ON = "on|op|am|le|el|il|em|den|dnia|w dniu"
_FROM = "from|van|von|de|da|från|fra|od|expéditeur"
_SENT = "sent|date|verzonden|datum|gesendet|envoyé|enviado|fecha|inviato|data|skickat|sendt|wysłano"
_TO = "to|aan|an|à|para|a|till|til|do"
QUOTED_HEAD = re.compile(
    rf"^[\s>*]*(?:(?:{_ON})\b.{{0,300}}|.{{0,200}}<[^<>]*@[^<>]*>.{{0,60}})\b(?:{_WROTE})\b.{{0,200}}:\W*$", re.I
)
"""`On … somebody wrote:` in the languages of our customers, and `Somebody <address> schrieb am …:`."""
SEPARATOR = re.compile(
    r"^\s*[-_]{2,}\s*(?:original message|oorspronkelijk bericht|ursprüngliche nachricht|originalnachricht|"
    r"message d.origine|message original|mensaje original|messaggio originale|doorgestuurd bericht|forwarded message|"
    r"weitergeleitete nachricht|message transféré)\s*[-_]{2,}\s*$",
    re.I,
)
FROM_LINE = re.compile(rf"^[\s>*]*(?:{_FROM})\s?:[\s*]*\S", re.I)
NEXT_LINE = re.compile(rf"^[\s>*]*(?:{_SENT}|{_TO})\s?:[\s*]*\S", re.I)
SIGNATURE = re.compile(r"^--\s?$")
RULE = re.compile(r"^\s*_{10,}\s*$")


def text_of_html(page: str) -> str:
    """What a reader of the page sees, a line a paragraph or row.

    In one pass, whatever the page is: the parser of the standard library takes hours over tags that never end.
    """
    pieces: list[str] = []
    unseen = ""
    behind = 0
    for tag in TAG.finditer(page):
        if tag.start() < behind:
            continue
        name = (tag["name"] or "").lower()
        if not unseen:
            pieces.append(re.sub(r"\s+", " ", unescape(page[behind : tag.start()])))
            pieces.append("\n" if name in BREAKS else "")
            unseen = name if name in UNSEEN and not tag["end"] else ""
        elif tag["end"] and name == unseen:
            unseen = ""
        behind = tag.end()
        if tag[0] == "<!--":
            comment = page.find("-->", behind)
            behind = comment + 3 if comment >= 0 else len(page)
    if not unseen:
        pieces.append(re.sub(r"\s+", " ", unescape(page[behind:])))
    lines = [" ".join(line.split()) for line in "".join(pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def own_words(text: str) -> str:
    """What the person wrote: without quoted lines, what stands below the head of a quotation, and the signature."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    own: list[str] = []
    skipped = -1
    for at, line in enumerate(lines):
        if at <= skipped or line.lstrip().startswith(">"):
            continue
        here = line[:LONGEST_LINE]
        following = [each[:LONGEST_LINE] for each in lines[at + 1 : at + 6] if each.strip()]
        if SEPARATOR.match(here) or SIGNATURE.match(line) or _is_header_block(here, following):
            break
        head = _lines_of_head(here, following)
        if head:
            below = following[head - 1 :]
            if not below or not below[0].lstrip().startswith(">"):
                break
            # Answers may stand between the quoted lines.
            skipped = at + head - 1
            continue
        own.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(own)).strip()


def _is_header_block(here: str, following: list[str]) -> bool:
    """`From: … Sent: … To: …`, perhaps below a rule, as Outlook quotes."""
    if RULE.match(here):
        return bool(following) and _is_header_block(following[0], following[1:])
    if not FROM_LINE.match(here):
        return False
    return sum(bool(NEXT_LINE.match(each)) for each in following) >= (1 if "@" in here else 2)


def _lines_of_head(here: str, following: list[str]) -> int:
    """How many lines the head of a quotation takes here: one, two if it was broken, none if there is none."""
    if QUOTED_HEAD.match(here):
        return 1
    # The writer's own line has no date.
    dated = any(sign.isdigit() for sign in here)
    return 2 if dated and following and QUOTED_HEAD.match(f"{here} {following[0]}") else 0
