"""The check of a pack's templates, part of loading it: a message that lacks what it owes the customer is not published.

Each template says by its kind what it is. A *notice* asks for money and so must say which items, as known when, why it
comes, how to pay, what happens next, and the four ways to stop it. A *demand* is a notice that may name a consequence;
only escalating steps may use one, and they must. A *statement* lists everything and demands nothing. A *note* asks for
nothing. No text calls a customer a debtor, and none but a demand threatens.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from maatpak.kernel.errors import PolicyError
from maatpak.kernel.ids import content_hash
from maatpak.kernel.segments import fitting, segments
from maatpak.kernel.words import Channel
from policies.document import Problem, suggestion
from policies.markup import WAYS, plain
from policies.pack import CompiledPack, load_pack
from policies.render import FOLDER, LABELS, SUFFIX, Rendered, Templates
from policies.template_source import check_source, files_of, said
from policies.vocabulary import LABEL_NAMES, MORE_LABELS, longest, samples
from policies.wording import FORBIDDEN, PROMOTION, THREATS, Words, words_found

KINDS = ("notice", "demand", "statement", "note")
MOST_SEGMENTS = 3
"""Parts into which an operator may cut a text message, also with the longest names and amounts."""


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
"""Hashes of words, with how steps use them, that were checked by this process."""


def checked_pack(files: Mapping[str, str]) -> CompiledPack:
    """The pack that these files make, its templates checked too: what publishing and `policy check` ask for.

    A published pack was checked then; loading it again needs `load_pack` only.

    Raises:
        PolicyError: the pack or its words do not hold; its `problems` are all there are.
    """
    pack = load_pack(files)
    steps = [step for journey in pack.journeys.values() for step in journey.steps.values()]
    uses = sorted({(step.template, str(step.tone), step.escalating) for step in steps if step.template})
    key = content_hash([{name: text for name, text in files.items() if name.startswith(FOLDER)}, uses])
    if key not in _FOUND_GOOD:
        found = check_templates(files, steps)
        if found:
            raise PolicyError(
                f"The words of the policy pack do not hold: {len(found)} problem{'s' if len(found) > 1 else ''}.",
                advice="Nothing was published; mend the lines below and check again.",
                problems=[str(problem) for problem in found],
            )
        _FOUND_GOOD.add(key)
    return pack


def check_templates(files: Mapping[str, str], steps: Iterable[TemplateUse]) -> list[Problem]:
    """Everything that does not hold in the templates of a pack, given the steps that use them."""
    sources = {name: text for name, text in files.items() if name.startswith(FOLDER) and name.endswith(SUFFIX)}
    problems = [problem for name, text in sources.items() for problem in check_source(name, text)]
    if problems or not sources:
        return sorted(set(problems))
    templates = Templates(files)
    problems += [problem for language in templates.languages for problem in _check_labels(templates, language)]
    if problems:
        return sorted(set(problems))
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
                written = _threats(FOLDER + path, sources) if not use.escalating else []
                shown = _check_words(templates, use, language) - {problem.text for problem in written}
                problems += [*written, *(Problem(FOLDER + path, 1, text) for text in shown)]
    return sorted(set(problems))


def _threats(file: str, sources: Mapping[str, str]) -> list[Problem]:
    """Threats in the source of a template that is no demand: some customer may get them, if no sample does."""
    return [
        Problem(name, line, f"only a demand may say {word!r}")
        for name in sorted(files_of(file, sources))
        for line, word in said(THREATS, name, sources[name])
    ]


def _check_labels(templates: Templates, language: str) -> Iterator[Problem]:
    file = f"{FOLDER}{language}/{LABELS}"
    try:
        labels = templates.labels(language)
    except PolicyError as error:
        yield Problem(file, 1, "the fixed words of tables and letters are missing, or are no list of names")
        yield from (Problem(file, 1, problem) for problem in error.problems)
        return
    for name in LABEL_NAMES:
        if not labels.get(name, "").strip():
            yield Problem(file, 1, f"the word for {name!r} is missing")
    if "STOP" not in labels.get("stop", "STOP"):
        yield Problem(file, 1, "the word for 'stop' has no STOP in it, with which a customer ends text messages")
    for name in labels.keys() - LABEL_NAMES - MORE_LABELS:
        yield Problem(file, 1, f"there is no word {name!r}{suggestion(name, sorted(LABEL_NAMES))}")
    for _, word in (each for lists in (FORBIDDEN, THREATS, PROMOTION) for each in _in_labels(lists, language, labels)):
        yield Problem(file, 1, f"no table or letter is to say {word!r}")


def _in_labels(lists: Words, language: str, labels: Mapping[str, str]) -> list[tuple[int, str]]:
    return words_found(lists, language, "\n".join(labels.values()))


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
            found.update(_misplaced(rendered, use))
            found.update(_unwanted(rendered, language))
    return found | _too_long(templates, use, language)


def _too_long(templates: Templates, use: _Use, language: str) -> set[str]:
    """Whether its text message is cut into too many parts for a customer with long names and amounts."""
    try:
        texts = [templates.render(use.template, use.tone, Channel.SMS, language, each).text for each in longest()]
    except PolicyError as error:
        return {error.message}
    parts = max(segments(fitting(text, MOST_SEGMENTS)) for text in texts)
    if parts <= MOST_SEGMENTS:
        return set()
    return {
        f"its text message is cut into {parts} parts where names and amounts are long; {MOST_SEGMENTS} are the most"
    }


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
    told_next = " ".join(plain(line) for block in rendered.blocks if block.part == "next" for line in block.lines)
    wanted = {
        "which items it is about ([items])": "items" in tables,
        "the date for which that is known (known_on)": sample["known_on"] in rendered.text,
        "how to pay ([pay])": "pay" in tables,
        "what happens next (@next)": "next" in parts,
        "when that is (a date in @next, such as reply_by)": rendered.kind == "statement"
        or any(day in told_next for day in _days(sample)),
        f"the four ways to stop it (@ways with {', '.join(WAYS)})": ways == set(WAYS),
        "the date to pay by (pay_by)": rendered.kind != "demand" or sample["pay_by"] in rendered.text,
    }
    for what, there in wanted.items():
        if not there:
            yield f"it does not say {what}"


def _days(sample: Mapping[str, Any]) -> list[str]:
    """The dates by which a message may say that something happens."""
    plan, then = sample["plan"] or {}, sample["then"] or {}
    days = (sample["reply_by"], sample["pay_by"], sample["oldest_due"], plan.get("valid_until"), then.get("on"))
    return [day for day in days if day]


def _missing_in_text(rendered: Rendered, sample: Mapping[str, Any]) -> Iterator[str]:
    text = rendered.text
    if not text:
        return
    if rendered.kind == "note":
        return
    pay = sample["pay"]
    wanted = {
        "who writes (creditor.name)": sample["creditor"]["name"] in text,
        "the amount (total)": sample["total"] in text,
        "the date for which that is known (known_on)": sample["known_on"] in text,
        "when something follows (a date such as reply_by)": any(day in text for day in _days(sample)),
        "how to pay (pay.link, or pay.iban and pay.reference)": (pay["link"] or pay["iban"]) in text,
        "how to answer (contact)": sample["contact"] in text,
    }
    for what, there in wanted.items():
        if not there:
            yield f"its text message does not say {what}"


def _misplaced(rendered: Rendered, use: _Use) -> Iterator[str]:
    if use.escalating != (rendered.kind == "demand"):
        yield (
            f"an escalating step uses it, so its kind must be demand, not {rendered.kind}"
            if use.escalating
            else "it is a demand, and a step that is not escalating uses it"
        )


def _unwanted(rendered: Rendered, language: str) -> Iterator[str]:
    """Words that are not to be in what the reader gets, however the source puts them together."""
    text = f"{rendered.subject}\n{rendered.text}"
    for _, word in words_found(FORBIDDEN, language, text):
        yield f"no customer is to read the word {word!r}"
    for _, word in words_found(PROMOTION, language, text):
        yield f"a message about money owed does not sell anything, and {word!r} does"
    if rendered.kind != "demand":
        for _, word in words_found(THREATS, language, text):
            yield f"only a demand may say {word!r}"
