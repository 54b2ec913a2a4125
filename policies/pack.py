"""A policy pack, loaded and checked whole: `load_pack` gives it compiled, or one error with every problem in it.

A compiled pack is immutable and named by the hash of its files, so the same hash always decides the same (law 10).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import product
from types import MappingProxyType

from maatpak.kernel.errors import PolicyError
from maatpak.kernel.ids import content_hash
from maatpak.kernel.words import CallResult, NonPaymentReason, StepKind
from policies.compiling import JourneyCompiler
from policies.document import Document, Problem, Problems, suggestion
from policies.guardrails import GuardrailsFile
from policies.journey import Journey, Reroute, Segment, Step
from policies.reading import PackFiles
from policies.schema import (
    CallResultLine,
    CallResultsFile,
    ChannelOrder,
    ChannelsFile,
    ExperienceFile,
    FragmentFile,
    JourneyFile,
    OptionalColumn,
    PackFile,
    ReasonLine,
    ReasonsFile,
    Scale,
    SegmentsFile,
)


@dataclass(frozen=True)
class CompiledPack:
    """Everything that a pack says, ready to decide with."""

    name: str
    title: str
    languages: tuple[str, ...]
    needs: tuple[OptionalColumn, ...]
    content_hash: str
    segments: tuple[Segment, ...]
    """In their order: the first whose rule holds wins."""
    reroutes: tuple[Reroute, ...]
    journeys: Mapping[str, Journey]
    """By segment, in the order of the segments."""
    guardrails: GuardrailsFile
    channels: ChannelsFile
    reasons: Mapping[NonPaymentReason, ReasonLine]
    call_results: Mapping[CallResult, CallResultLine]
    scale: Scale
    ratings: Mapping[str, int]
    """What touches other than steps are worth; a step has its own `rating`."""
    templates: Mapping[str, str]
    """Template files: path inside the pack → text."""

    def step(self, segment: str, name: str) -> Step:
        """A step of a segment's journey."""
        return self.journeys[segment].steps[name]

    def order(self, segment: str) -> ChannelOrder:
        """In which order the channels are tried for a segment."""
        return self.channels.segments.get(segment, self.channels.order)


def load_pack(files: Mapping[str, str]) -> CompiledPack:
    """The pack that these files make: path inside the pack → text.

    Raises:
        PolicyError: the pack does not hold; its `problems` are all there are, each as "file:line: what".
    """
    return _loaded(tuple(files.items()))


@lru_cache(maxsize=16)
def _loaded(contents: tuple[tuple[str, str], ...]) -> CompiledPack:
    """Compiling takes a good part of a second, and the same files always make the same pack."""
    files = dict(contents)
    problems = Problems()
    read = PackFiles(files, problems)
    fragments = {file.fragment: (document, file) for document, file in read.all("fragments", FragmentFile)}
    unread = {name.partition("/")[2].removesuffix(".yaml") for name in files if name.startswith("fragments/")}
    compiler = JourneyCompiler(fragments, unread - fragments.keys(), problems)
    segments, reroutes = _segments(read, compiler)
    written = read.one("segments.yaml", SegmentsFile)
    journeys = _journeys(read, compiler, files, [line.segment for line in written.segments] if written else [])
    reasons = _reasons(read)
    call_results = _call_results(read)
    _check_templates(read)
    channels = _channels(read, [segment.name for segment in segments])
    head = read.one("pack.yaml", PackFile)
    guardrails = read.one("guardrails.yaml", GuardrailsFile)
    experience = read.one("experience.yaml", ExperienceFile)
    if problems.found or head is None or guardrails is None or experience is None:
        listed = problems.listed()
        raise PolicyError(
            f"The policy pack does not hold: {len(listed)} {'problem' if len(listed) == 1 else 'problems'}.",
            advice="Nothing was published; mend the lines below and check again.",
            problems=listed,
        )
    return CompiledPack(
        name=head.pack,
        title=head.title,
        languages=tuple(head.languages),
        needs=tuple(head.needs),
        content_hash=content_hash(files),
        segments=tuple(segments),
        reroutes=tuple(reroutes),
        journeys=MappingProxyType({segment.name: journeys[segment.name] for segment in segments}),
        guardrails=guardrails,
        channels=channels,
        reasons=MappingProxyType(reasons),
        call_results=MappingProxyType(call_results),
        scale=experience.scale,
        ratings=MappingProxyType(dict(experience.touches)),
        templates=MappingProxyType(dict(read.templates)),
    )


def standard_pack_files() -> dict[str, str]:
    """The files of the standard pack, as they ship with the engine."""
    return pack_files(resources.files("policies") / "packs" / "standard")


def pack_files(folder: Traversable) -> dict[str, str]:
    """Every file below a pack's folder: path inside the pack → text. Names with a leading dot are not the pack's."""
    found: dict[str, str] = {}
    waiting = [("", folder)]
    while waiting:
        prefix, each = waiting.pop()
        for child in each.iterdir():
            if child.name.startswith(".") or child.name == "__pycache__":
                continue
            if child.is_dir():
                waiting.append((f"{prefix}{child.name}/", child))
            else:
                found[f"{prefix}{child.name}"] = child.read_text(encoding="utf-8")
    return dict(sorted(found.items()))


def _segments(read: PackFiles, compiler: JourneyCompiler) -> tuple[list[Segment], list[Reroute]]:
    file = read.one("segments.yaml", SegmentsFile)
    if file is None:
        return [], []
    document = read.documents["segments.yaml"]
    segments: list[Segment] = []
    for at, line in enumerate(file.segments):
        if line.segment in {segment.name for segment in segments}:
            read.problems.add(document, ("segments", at, "segment"), f"segment {line.segment!r} stands here twice")
        rule = compiler.rule(document, ("segments", at, "when"), line.when)
        if rule is not None:
            segments.append(Segment(line.segment, line.who, rule))
    names = [line.segment for line in file.segments]
    if file.segments[-1].when.strip().upper() != "TRUE":
        text = "the last segment must take all that are left: when: 'TRUE'"
        read.problems.add(document, ("segments", len(names) - 1, "when"), text)
    reroutes: list[Reroute] = []
    for at, each in enumerate(file.reroutes):
        if each.to not in names:
            text = f"there is no segment {each.to!r}{suggestion(each.to, names)}"
            read.problems.add(document, ("reroutes", at, "to"), text)
        rule = compiler.rule(document, ("reroutes", at, "when"), each.when)
        if rule is not None:
            reroutes.append(Reroute(each.cause, each.to, rule))
    return segments, reroutes


def _journeys(
    read: PackFiles, compiler: JourneyCompiler, files: Collection[str], segments: Sequence[str]
) -> dict[str, Journey]:
    journeys: dict[str, Journey] = {}
    included: set[str] = set()
    for document, file in read.all("journeys", JourneyFile):
        _check_name(read, document, "journey", file.journey)
        if segments and file.journey not in segments:
            text = f"there is no segment {file.journey!r}{suggestion(file.journey, segments)}"
            read.problems.add(document, ("journey",), text)
        included |= {line.fragment for line in file.include}
        journey = compiler.journey(document, file)
        if journey is not None:
            journeys[file.journey] = journey
    for document, fragment in read.all("fragments", FragmentFile):
        _check_name(read, document, "fragment", fragment.fragment)
        if fragment.fragment not in included:
            read.problems.add(document, ("fragment",), f"no journey includes fragment {fragment.fragment!r}")
    for segment in segments:
        file_name = f"journeys/{segment}.yaml"
        if file_name not in files:
            read.problems.found.append(Problem(file_name, 1, f"segment {segment!r} has no journey"))
    return journeys


def _check_name(read: PackFiles, document: Document, key: str, name: str) -> None:
    expected = document.file.rpartition("/")[2].removesuffix(".yaml")
    if name != expected:
        read.problems.add(document, (key,), f"{key} {name!r} stands in a file that is called {expected!r}")


def _channels(read: PackFiles, segments: Sequence[str]) -> ChannelsFile:
    file = read.one("channels.yaml", ChannelsFile)
    if file is None:
        return ChannelsFile()
    for name in file.segments:
        if name not in segments:
            text = f"there is no segment {name!r}{suggestion(name, segments)}"
            read.problems.add(read.documents["channels.yaml"], ("segments", name), text)
    return file


def _reasons(read: PackFiles) -> dict[NonPaymentReason, ReasonLine]:
    file = read.one("reasons.yaml", ReasonsFile)
    if file is None:
        return {}
    document = read.documents["reasons.yaml"]
    if NonPaymentReason.NONE in file.reasons:
        read.problems.add(document, ("reasons", "none"), "'none' is no reason; leave it out")
    _check_complete(read, document, "reasons", set(NonPaymentReason) - {NonPaymentReason.NONE}, set(file.reasons))
    return dict(file.reasons)


def _call_results(read: PackFiles) -> dict[CallResult, CallResultLine]:
    file = read.one("call_results.yaml", CallResultsFile)
    if file is None:
        return {}
    document = read.documents["call_results.yaml"]
    _check_complete(read, document, "call_results", set(CallResult), set(file.call_results))
    offers = {step.do for _, each in read.all("journeys", JourneyFile) for step in each.steps.values()}
    for name, line in file.call_results.items():
        if line.next is not None and line.next not in offers:
            text = f"no journey has a {StepKind.PLAN_OFFER} step that could be next"
            read.problems.add(document, ("call_results", name, "next"), text)
    return dict(file.call_results)


def _check_complete(read: PackFiles, document: Document, key: str, wanted: Iterable[str], given: Iterable[str]) -> None:
    missing = [str(word) for word in sorted(set(wanted) - set(given))]
    if missing:
        read.problems.add(document, (key,), f"nothing is said of {', '.join(missing)}")


def _check_templates(read: PackFiles) -> None:
    """Every template that a step names must be there in every language of the pack."""
    head = read.one("pack.yaml", PackFile)
    if head is None:
        return
    paths = [name.split("/") for name in read.templates]
    written = {(parts[1], parts[2].partition(".")[0]) for parts in paths if len(parts) == 3}
    files: list[tuple[Document, JourneyFile | FragmentFile]] = []
    files += read.all("journeys", JourneyFile)
    files += read.all("fragments", FragmentFile)
    lines = [(document, name, line.template) for document, file in files for name, line in file.steps.items()]
    for (document, name, template), language in product(lines, head.languages):
        if template and (language, template) not in written:
            near = suggestion(template, sorted(each for of, each in written if of == language))
            text = f"there is no template {template!r} in language {language!r}{near}"
            read.problems.add(document, ("steps", name, "template"), text)
