"""A message in words: templates of a pack, a language and a context make subject, text, HTML and letter.

Templates are Jinja in a sandbox. A name that is not there is an error, never an empty space; every value is guarded, so
that it is text and nothing else (policies/markup.py). Rendering reads no clock and no file: the same context gives the
same words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from maatpak.kernel.errors import PolicyError
from maatpak.kernel.words import Channel
from policies.document import Problems, read_document
from policies.mailhtml import as_html
from policies.markup import Block, as_text, guard, letter_blocks, one_line, parse, plain, reach_text
from policies.vocabulary import samples

FOLDER = "templates/"
SUFFIX = ".j2"
LABELS = "labels.yaml"
SECTIONS = ("kind", "to", "subject", "sms", "body")
"""What a template's rendering consists of, each opened by a line `=== name`."""

_ONLY_TAGS = re.compile(r"\s*(\{%[^%]*%\}\s*)+")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in the form of its channel."""

    kind: str
    """notice, note, statement or demand: what it may say (policies/templates.py)."""
    to: str
    """Role of the contact person that it is for."""
    subject: str
    text: str
    """Empty for a channel that the template has no words for."""
    html: str | None = None
    letter: dict[str, Any] | None = None
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What a template says of itself, whoever it is written to."""

    kind: str
    to: str
    texts: bool
    """Whether it has words for a text message."""


class PackWithTemplates(Protocol):
    """What rendering needs of a pack."""

    @property
    def content_hash(self) -> str:
        """The pack's identity."""
        ...

    @property
    def templates(self) -> Mapping[str, str]:
        """The pack's files under `templates/`, by path."""
        ...


class Templates:
    """The templates of one pack, compiled as they are used."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = {name.removeprefix(FOLDER): text for name, text in files.items() if name.startswith(FOLDER)}
        self._environment = ImmutableSandboxedEnvironment(
            loader=DictLoader({name: _kept(text) for name, text in self._files.items() if name.endswith(SUFFIX)}),
            undefined=StrictUndefined,
            autoescape=True,
            finalize=_guarded,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
        )
        self._labels: dict[str, dict[str, str]] = {}
        self._about: dict[tuple[str, str], About] = {}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the pack speaks."""
        return tuple(sorted({name.partition("/")[0] for name in self._files if "/" in name}))

    def language(self, *wanted: str | None) -> str:
        """The first wanted language that the pack speaks, else English, else its first."""
        spoken = self.languages
        for each in (*wanted, "en"):
            if each and each.lower() in spoken:
                return each.lower()
        return spoken[0]

    def path(self, template: str, tone: str, language: str) -> str | None:
        """The file of a template: the words of that tone, else the common ones."""
        for name in (f"{language}/{template}.{tone}{SUFFIX}", f"{language}/{template}{SUFFIX}"):
            if name in self._files:
                return name
        return None

    def compiled(self, path: str) -> Template:
        """A template, compiled once."""
        return self._environment.get_template(path)

    def labels(self, language: str) -> dict[str, str]:
        """The fixed words of tables and payment boxes."""
        if language not in self._labels:
            problems = Problems()
            file = f"{language}/{LABELS}"
            document = read_document(FOLDER + file, self._files.get(file, ""), problems)
            if document is None or not isinstance(document.data, dict):
                raise PolicyError(f"The pack has no {FOLDER}{file}.", problems=problems.listed())
            self._labels[language] = {str(name): str(word) for name, word in document.data.items()}
        return self._labels[language]

    def about(self, template: str, tone: str) -> About:
        """What the template is, from a sample of it."""
        if (template, tone) not in self._about:
            sample = self.render(template, tone, Channel.SMS, self.language(), next(samples()))
            self._about[template, tone] = About(sample.kind, sample.to, bool(sample.text))
        return self._about[template, tone]

    def render(self, template: str, tone: str, channel: Channel, language: str, context: Mapping[str, Any]) -> Rendered:
        """The message.

        Raises:
            PolicyError: the pack has no such template, or it asks for something that the context lacks.
        """
        path = self.path(template, tone, language)
        if path is None:
            raise PolicyError(
                f"The pack has no template {template!r} in {language!r}.",
                advice=f"Add {FOLDER}{language}/{template}.j2.",
            )
        try:
            sections = _sections(self.compiled(path).render(context, channel=str(channel)))
            return self._form(sections, channel, language, context)
        except (TemplateError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as error:
            raise PolicyError(
                f"The template {FOLDER}{path} cannot be rendered: {error}.",
                advice="docs/templates.md lists what templates may use.",
            ) from error

    def _form(
        self, sections: Mapping[str, str], channel: Channel, language: str, context: Mapping[str, Any]
    ) -> Rendered:
        kind, to = sections["kind"], sections["to"]
        subject = plain(one_line(sections["subject"]))
        labels = self.labels(language)
        if channel is Channel.SMS:
            # Spaces that no phone's own alphabet has would cost a text half of its signs.
            words = plain(" ".join(sections["sms"].split()))
            return Rendered(kind, to, subject, f"{words} {labels['stop']}" if words else "")
        blocks = parse(sections["body"])
        text = as_text(blocks, context, labels)
        if channel is Channel.POST:
            letter = {"subject": subject, "blocks": letter_blocks(blocks), "labels": labels}
            return Rendered(kind, to, subject, text, letter=letter, blocks=tuple(blocks))
        text += reach_text(context["reach"], labels)
        html = as_html(subject, blocks, context, labels, language)
        return Rendered(kind, to, subject, text, html=html, blocks=tuple(blocks))


_BY_HASH: dict[str, Templates] = {}


def templates_of(pack: PackWithTemplates) -> Templates:
    """The compiled templates of a pack; a published pack never changes, so its hash is enough to know it by."""
    found = _BY_HASH.get(pack.content_hash)
    if found is None:
        found = _BY_HASH[pack.content_hash] = Templates(pack.templates)
    return found


def render(
    pack: PackWithTemplates, template: str, tone: str, channel: Channel, language: str, context: Mapping[str, Any]
) -> Rendered:
    """A message of a pack in words; see `Templates.render`."""
    return templates_of(pack).render(template, tone, channel, language, context)


def _kept(source: str) -> str:
    """Keep the line break after a tag that ends a line of words; only lines of nothing but tags leave no line."""
    return "".join(
        f"{line} \n" if line.endswith("%}") and not _ONLY_TAGS.fullmatch(line) else f"{line}\n"
        for line in source.splitlines()
    )


def _guarded(value: object) -> object:
    return value if isinstance(value, Markup) else Markup(guard(value))  # noqa: S704


def _sections(rendered: str) -> dict[str, str]:
    sections: dict[str, list[str]] = {name: [] for name in SECTIONS}
    current: list[str] = []
    for line in rendered.splitlines():
        if line.startswith("=== "):
            current = sections[line[4:].strip()]
        else:
            current.append(line)
    return {name: "\n".join(lines).strip() for name, lines in sections.items()}
