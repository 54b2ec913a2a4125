"""The check of a pack's templates, part of loading it: a message that lacks what it owes the customer is not published.

Each template says by its kind what it is. A *notice* asks for money and so must say which items, as known when, why it
comes, how to pay, what happens next, and the four ways to stop it. A *demand* is a notice that may name a consequence;
only escalating steps may use one, and they must. A *statement* lists everything and demands nothing. A *note* asks for
nothing. No text calls a customer a debtor, and none but a demand threatens.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from maatpak.kernel.errors import PolicyError
from maatpak.kernel.words import Channel
from policies.document import Problem, suggestion
from policies.markup import WAYS
from policies.pack import CompiledPack, load_pack
from policies.render import FOLDER, SUFFIX, Rendered, Templates
from policies.vocabulary import VARIABLES, samples

KINDS = ("notice", "demand", "statement", "note")
LONGEST_TEXT = 480
"""Characters of a text message: three parts."""

FORBIDDEN: dict[str, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(debtors?|dunning|dunned|arrears|delinquen\w*|defaulters?|bad debts?|deadbeat)\b", re.IGNORECASE
    ),
    "nl": re.compile(
        r"\b(debiteur(en)?|dunning|achterstand(en)?|wanbetalers?|wanbetaling|in gebreke)\b", re.IGNORECASE
    ),
}
"""Words that no customer reads, by language."""

THREATS: dict[str, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(collection agenc\w*|debt collect\w*|legal (action|proceedings|steps)|court|bailiffs?|solicitors?|lawyers?"
        r"|sue|credit (bureau|rating|register)|further (measures|steps|action)|consequences of|final (demand|notice)"
        r"|suspend\w*|stop (deliver|suppl)\w*)\b",
        re.IGNORECASE,
    ),
    "nl": re.compile(
        r"(?<!automatische )\b(incasso\w*|gerechtelijk\w*|rechter|rechtbank|dagvaard\w*|deurwaarder\w*|advoca\w*"
        r"|verdere (maatregelen|stappen)|juridische (stappen|maatregelen)|sommatie|(laatste|finale) aanmaning"
        r"|kredietregist\w*|leveringsstop)\b",
        re.IGNORECASE,
    ),
}
"""Words that only a demand may use, by language."""


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class TemplateUse(Protocol):
    """What the check reads of a step."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def template(self) -> str | None: ...  # noqa: D102
    @property
    def tone(self) -> str: ...  # noqa: D102
    @property
    def escalating(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class _Use:
    template: str
    tone: str
    escalating: bool


_FOUND_GOOD: set[str] = set()
"""Hashes of packs whose words were checked by this process."""


def checked_pack(files: Mapping[str, str]) -> CompiledPack:
    """The pack that these files make, its templates checked too: what publishing and `policy check` ask for.

    A published pack was checked then; loading it again needs `load_pack` only.

    Raises:
        PolicyError: the pack or its words do not hold; its `problems` are all there are.
    """
    pack = load_pack(files)
    if pack.content_hash not in _FOUND_GOOD:
        steps = (step for journey in pack.journeys.values() for step in journey.steps.values())
        found = check_templates(files, steps)
        if found:
            raise PolicyError(
                f"The words of the policy pack do not hold: {len(found)} problem{'s' if len(found) > 1 else ''}.",
                advice="Nothing was published; mend the lines below and check again.",
                problems=[str(problem) for problem in found],
            )
        _FOUND_GOOD.add(pack.content_hash)
    return pack


def check_templates(files: Mapping[str, str], steps: Iterable[TemplateUse]) -> list[Problem]:
    """Everything that does not hold in the templates of a pack, given the steps that use them."""
    sources = {name: text for name, text in files.items() if name.startswith(FOLDER) and name.endswith(SUFFIX)}
    problems = [problem for name, text in sources.items() for problem in _check_source(name, text)]
    if problems or not sources:
        return sorted(set(problems))
    templates = Templates(files)
    uses = {_Use(step.template, str(step.tone), step.escalating) for step in steps if step.template}
    seen: set[tuple[str, bool]] = set()
    for use in sorted(uses, key=lambda each: (each.template, each.tone, each.escalating)):
        for language in templates.languages:
            path = templates.path(use.template, use.tone, language)
            if path is None:
                text = f"a step names {use.template!r}, and there is no such template in {language!r}"
                problems.append(Problem(f"{FOLDER}{language}/{use.template}{SUFFIX}", 1, text))
            elif (path, use.escalating) not in seen:
                seen.add((path, use.escalating))
                problems += [Problem(FOLDER + path, 1, text) for text in _check_words(templates, use, language)]
    return sorted(set(problems))


def _check_source(name: str, text: str) -> Iterator[Problem]:
    environment = Environment(autoescape=True)
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        yield Problem(name, line, f"the control character {control[0]!r} stands here; take it out")
        return
    try:
        tree = environment.parse(text)
    except TemplateSyntaxError as error:
        yield Problem(name, error.lineno, f"this is no template: {error.message}")
        return
    unknown = meta.find_undeclared_variables(tree) - VARIABLES.keys()
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            near = suggestion(node.name, list(VARIABLES))
            yield Problem(name, node.lineno, f"there is no {node.name!r} for templates{near}")
    for use in tree.find_all(nodes.Getattr):
        if isinstance(use.node, nodes.Name) and use.node.name in VARIABLES:
            known = VARIABLES[use.node.name].fields
            if use.attr not in known:
                near = suggestion(use.attr, list(known))
                yield Problem(name, use.lineno, f"{use.node.name!r} has no {use.attr!r}{near}")
    language = name.removeprefix(FOLDER).partition("/")[0]
    for data in tree.find_all(nodes.TemplateData):
        for word in FORBIDDEN.get(language, FORBIDDEN["en"]).finditer(data.data):
            line = data.lineno + data.data.count("\n", 0, word.start())
            yield Problem(name, line, f"no customer is to read the word {word[0]!r}")


def _check_words(templates: Templates, use: _Use, language: str) -> set[str]:
    found: set[str] = set()
    for sample in samples():
        for channel in (Channel.EMAIL, Channel.POST, Channel.SMS):
            try:
                rendered = templates.render(use.template, use.tone, channel, language, sample)
            except PolicyError as error:
                found.add(error.message)
                continue
            found.update(_missing(rendered, channel, sample))
            found.update(_misplaced(rendered, use, language))
    return found


def _missing(rendered: Rendered, channel: Channel, sample: Mapping[str, Any]) -> Iterator[str]:
    if rendered.kind not in KINDS:
        yield f"its kind is {rendered.kind!r}; a template is one of {', '.join(KINDS)}"
        return
    if not rendered.subject or len(rendered.subject) > 150:
        yield "its subject is empty or longer than 150 characters"
    if channel is Channel.SMS:
        yield from _missing_in_text(rendered, sample)
        return
    parts = {block.part for block in rendered.blocks if block.lines or block.kind != "paragraph"}
    tables = {block.kind for block in rendered.blocks}
    if "why" not in parts:
        yield "it does not say why it comes (@why)"
    if rendered.kind == "note":
        if "items" in tables or "pay" in tables or str(sample["known_on"]) in rendered.text:
            yield "it is a note, and notes ask for nothing; extend _notice.j2"
        return
    ways = {way for block in rendered.blocks if block.part == "ways" for way in block.ways}
    wanted = {
        "which items it is about ([items])": "items" in tables,
        "the date for which that is known (known_on)": sample["known_on"] in rendered.text,
        "how to pay ([pay])": "pay" in tables,
        "what happens next (@next)": "next" in parts,
        f"the four ways to stop it (@ways with {', '.join(WAYS)})": ways == set(WAYS),
        "the date to pay by (pay_by)": rendered.kind != "demand" or sample["pay_by"] in rendered.text,
    }
    for what, there in wanted.items():
        if not there:
            yield f"it does not say {what}"


def _missing_in_text(rendered: Rendered, sample: Mapping[str, Any]) -> Iterator[str]:
    text = rendered.text
    if not text:
        return
    if len(text) > LONGEST_TEXT:
        yield f"its text message has {len(text)} characters; {LONGEST_TEXT} are the most"
    if rendered.kind == "note":
        return
    pay = sample["pay"]
    wanted = {
        "who writes (creditor.name)": sample["creditor"]["name"] in text,
        "the amount (total)": sample["total"] in text,
        "how to pay (pay.link, or pay.iban and pay.reference)": (pay["link"] or pay["iban"]) in text,
        "how to answer (contact)": sample["contact"] in text,
    }
    for what, there in wanted.items():
        if not there:
            yield f"its text message does not say {what}"


def _misplaced(rendered: Rendered, use: _Use, language: str) -> Iterator[str]:
    if use.escalating != (rendered.kind == "demand"):
        yield (
            f"an escalating step uses it, so its kind must be demand, not {rendered.kind}"
            if use.escalating
            else "it is a demand, and a step that is not escalating uses it"
        )
    if rendered.kind != "demand":
        for word in THREATS.get(language, THREATS["en"]).finditer(f"{rendered.subject}\n{rendered.text}"):
            yield f"only a demand may say {word[0]!r}"
