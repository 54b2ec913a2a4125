import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.errors import PolicyError
from maatpak.kernel.words import Channel
from policies.markup import WAYS, guard, parse, plain
from policies.pack import load_pack
from policies.render import FOLDER, Templates
from policies.schema import Tone
from policies.templates import check_templates, checked_pack
from policies.vocabulary import ODD, VARIABLES, samples
from tests.policies.templating import FILES, LANGUAGES, Use, note, notice, problems, steps_of_the_standard_pack

TEMPLATES = Templates(FILES)
CHANNELS = list(Channel)


def test_the_standard_pack_has_no_problem() -> None:
    assert check_templates(FILES, steps_of_the_standard_pack()) == []


def test_a_pack_with_poor_words_is_not_published() -> None:
    assert checked_pack(FILES) is not None
    name = f"{FOLDER}en/reminder.j2"
    with pytest.raises(PolicyError) as refused:
        checked_pack({**FILES, name: notice("Pay now, or see our lawyers.")})
    assert refused.value.problems == (f"{name}:2: only a demand may say 'lawyers'",)


def test_every_template_of_the_pack_stands_in_every_language_and_is_used() -> None:
    names = {
        language: {name.split("/")[2] for name in FILES if name.startswith(f"{FOLDER}{language}/")}
        for language in TEMPLATES.languages
    }
    assert set(names) == set(LANGUAGES) == set(load_pack(FILES).languages)
    assert all(names[language] == names["en"] for language in LANGUAGES)
    used = {step.template for step in steps_of_the_standard_pack() if step.template}
    written = {name.partition(".")[0] for name in names["en"] if name.endswith(".j2") and not name.startswith("_")}
    assert used <= written
    assert written - used == set()


@pytest.mark.parametrize("tone", list(Tone))
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_value_becomes_markup_in_any_message(language: str, tone: str) -> None:
    names = sorted({name.split("/")[2].partition(".")[0] for name in FILES if name.startswith(f"{FOLDER}{language}/")})
    for name in (each for each in names if not each.startswith("_") and each != "labels"):
        for sample in samples():
            for channel in CHANNELS:
                rendered = TEMPLATES.render(name, tone, channel, language, sample)
                for words in (rendered.subject, rendered.text, rendered.html or ""):
                    assert not {"\ue000", "\ue001"} & set(words)
                    assert "{{" not in words
                    assert "None" not in words
                assert "<b>" not in (rendered.html or "")
                assert "\n" not in rendered.subject
                if channel is not Channel.SMS and name == "welcome":
                    assert ODD in rendered.text


def test_a_notice_names_an_earlier_one_only_with_evidence() -> None:
    proven, unproven = list(samples())[:2]
    with_evidence = TEMPLATES.render("reminder", "light", Channel.EMAIL, "en", proven).text
    assert "by e-mail on 1 April 2026 and by letter on 7 April 2026" in with_evidence
    assert "Perhaps" not in with_evidence
    without = TEMPLATES.render("reminder", "light", Channel.EMAIL, "en", unproven).text
    assert "Perhaps our e-mail of 1 April 2026 never reached you." in without
    assert "We wrote to you" not in without
    first = TEMPLATES.render("reminder", "light", Channel.EMAIL, "en", {**unproven, "unproven": None}).text
    assert "Perhaps" not in first


def test_a_demand_names_the_agency_only_if_it_follows() -> None:
    handoff = next(sample for sample in samples() if (sample["then"] or {}).get("kind") == "handoff")
    follows = TEMPLATES.render("final_demand", "formal", Channel.POST, "en", handoff).text
    assert "collection agency" in follows
    other = TEMPLATES.render("final_demand", "formal", Channel.POST, "en", {**handoff, "then": None}).text
    assert "collection agency" not in other


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["second_notice", "final_demand", "soft_reminder"])
@pytest.mark.parametrize("tone", ["light", "welcoming"])
def test_silence_is_spoken_of_only_where_nothing_was_heard(template: str, language: str, tone: str) -> None:
    def text(*, heard: bool) -> str:
        sample = {**next(samples()), "heard": heard}
        return TEMPLATES.render(template, tone, Channel.EMAIL, language, sample).text

    silence = re.compile(
        "hoorden (nog )?niets|niet u te spreken|wij hebben noch|have not heard from you( yet)?[.:]"
        "|not been able to talk|we have neither your payment nor an agreement with you[.]"
        "|und wir haben (noch )?nichts von Ihnen gehört|noch nicht sprechen|und wir haben weder"
        "|et nous n’avons pas (encore )?eu de vos nouvelles|pas encore pu vous parler|et nous n’avons ni"
    )
    assert silence.search(text(heard=False))
    assert not silence.search(text(heard=True))


@pytest.mark.parametrize("kind", [None, "call", "message", "plan_offer", "consult", "decide", "review"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_says_what_happens_next(language: str, kind: str | None) -> None:
    sample = {**next(samples()), "then": kind and {"kind": kind, "on": "17 April 2026"}}
    text = TEMPLATES.render("reminder", "light", Channel.EMAIL, language, sample).text
    within, wish = {
        "en": ("If we have not heard from you by 16", "We would be glad to hear from you by 16"),
        "nl": ("Horen wij tot en met 16", "Wij horen graag uiterlijk 16"),
        "de": ("Wenn wir bis zum 16", "Wir freuen uns, bis zum 16"),
        "fr": ("Sans nouvelles de votre part d’ici au 16", "Nous serions heureux d’avoir de vos nouvelles d’ici au 16"),
    }[language]
    assert (f"{within} April 2026" in text, f"{wish} April 2026" in text) == (bool(kind), not kind)
    assert "17 April 2026" not in text


def test_notices_name_the_four_ways_to_stop_them() -> None:
    rendered = TEMPLATES.render("reminder", "factual", Channel.POST, "nl", next(samples()))
    assert [way for block in rendered.blocks for way in block.ways] == list(WAYS)
    assert rendered.letter is not None
    assert {block["kind"] for block in rendered.letter["blocks"]} >= {"items", "pay", "list", "sign"}


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{% block why %}{% endblock %}", "why it comes"),
        ("{% block lead %}{% endblock %}", "the date for which that is known"),
        ("{% block more %}@pay\n[pay]\n@next\nSoon, as of {{ known_on }}.\n{% endblock %}", "which items"),
        ("{% block pay %}{% endblock %}", "how to pay"),
        ("{% block next %}{% endblock %}", "what happens next"),
        ("{% block ways %}- <pay> Pay.\n- <when> Say when.\n{% endblock %}", "the four ways"),
        ("{% block sms %}Pay us.{% endblock %}", "how to answer"),
        ("{% block sms %}{{ creditor.name }} {{ total }} {{ pay.iban }} {{ pay.link }}{% endblock %}", "how to answer"),
        ("{% block subject %}{% endblock %}", "subject is empty"),
        ("{% block kind %}letter{% endblock %}", "its kind is 'letter'"),
    ],
)
def test_a_notice_that_owes_the_customer_something_is_refused(block: str, said: str) -> None:
    why = "" if "why" in block else "{% block why %}Please pay by {{ reply_by }}.{% endblock %}"
    found = problems("poor", f'{{% extends "en/_notice.j2" %}}\n{why}\n{block}\n')
    assert any(said in problem for problem in found), found


def test_an_unknown_name_is_found_with_its_line_and_a_suggestion() -> None:
    source = notice("\n{{ custmer.name }}\n{{ customer.nmae }}\n{{ now }}")
    found = problems("typo", source)
    assert found == [
        "templates/en/typo.j2:3: there is no 'custmer' for templates; did you mean 'customer'?",
        "templates/en/typo.j2:4: 'customer' has no 'nmae'; did you mean 'name'?",
        "templates/en/typo.j2:5: there is no 'now' for templates",
    ]


def test_a_template_that_is_none_is_found_with_its_line() -> None:
    assert problems("broken", "{% extends 'en/_notice.j2' %}\n{% block why %}{% if %}\n")[0].startswith(
        "templates/en/broken.j2:2: this is no template"
    )
    deep = "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}"
    assert problems("broken", deep) == ["templates/en/broken.j2:1: its parts lie too deep in one another"]
    found = problems("odd", '{% extends "en/_note.j2" %}\n')
    assert any("cannot be rendered" in problem for problem in found)


@pytest.mark.parametrize(
    "words", ["{{ 1 // 0 }}", "{{ range(10 ** 9) }}", '{% include "en/odd.j2" %}', "{{ [][0].x }}"]
)
def test_what_a_template_does_wrong_is_its_problem(words: str) -> None:
    found = problems("odd", note(words))
    assert any("templates/en/odd.j2 cannot be rendered" in problem for problem in found), found


def test_a_control_character_is_found_with_its_line() -> None:
    (found,) = problems("odd", note("Hello,\n\x00 there"))
    assert re.fullmatch(r"templates/en/odd\.j2:\d+: the control character '\\x00' stands here; take it out", found)


@pytest.mark.parametrize("word", ["Dear debtor", "our dunning run", "your arrears", "a Delinquent account"])
def test_words_that_no_customer_reads_are_found(word: str) -> None:
    source = note(word)
    assert any("no customer is to read" in problem for problem in problems("rude", source))


@pytest.mark.parametrize("threat", ["a collection agency", "legal action", "our lawyers", "further measures"])
def test_only_a_demand_may_threaten(threat: str) -> None:
    source = notice(f"Pay, or we call {threat}.", "{% block sms %}{% endblock %}")
    assert any("only a demand may say" in problem for problem in problems("harsh", source))
    demand = source + "{% block kind %}demand{% endblock %}{% block next %}By {{ pay_by }}.{% endblock %}"
    assert problems("harsh", demand, escalating=True) == []
    assert any("not escalating" in problem for problem in problems("harsh", demand))
    assert any("kind must be demand" in problem for problem in problems("harsh", source, escalating=True))


def test_a_note_asks_for_nothing() -> None:
    source = note("Hello\n\n[pay]\n")
    assert any("notes ask for nothing" in problem for problem in problems("sly", source))


def test_a_language_without_a_template_is_found() -> None:
    files = {name: text for name, text in FILES.items() if name != f"{FOLDER}nl/thanks.j2"}
    (problem,) = check_templates(files, [Use("thanks")])
    assert "no such template in 'nl'" in str(problem)


def test_languages_fall_back_in_order() -> None:
    assert TEMPLATES.language("es", "nl") == "nl"
    assert TEMPLATES.language("es", None) == "en"
    assert TEMPLATES.language("NL") == "nl"


def test_tones_have_their_own_words_and_fall_back_to_the_common_ones() -> None:
    assert TEMPLATES.path("reminder", "warm", "nl") == "nl/reminder.warm.j2"
    assert TEMPLATES.path("reminder", "formal", "nl") == "nl/reminder.j2"
    assert TEMPLATES.path("nothing", "warm", "nl") is None
    with pytest.raises(PolicyError, match="no template 'nothing'"):
        TEMPLATES.render("nothing", "warm", Channel.EMAIL, "nl", {})


def test_a_template_reaches_no_python() -> None:
    for attack in ("{{ creditor.__class__.__mro__ }}", "{{ ''.__class__ }}", "{{ self.__init__.__globals__ }}"):
        files = {
            **FILES,
            f"{FOLDER}en/evil.j2": '{% extends "en/_base.j2" %}{% block subject %}x{% endblock %}{% block why %}'
            + attack
            + "{% endblock %}",
        }
        with pytest.raises(PolicyError):
            Templates(files).render("evil", "light", Channel.EMAIL, "en", next(samples()))


@given(st.text(max_size=60))
def test_a_guarded_value_is_one_line_of_text_wherever_it_stands(value: str) -> None:
    for source in ("{}", "before {} after", "- {}", "**{}**"):
        blocks = parse(source.format(guard(value)))
        assert len(blocks) <= 1
        for block in blocks:
            assert block.kind in ("paragraph", "list")
            assert "\n" not in plain(block.lines[0])


def test_samples_fill_every_name_there_is() -> None:
    for sample in samples():
        for name, variable in VARIABLES.items():
            if name == "channel":
                continue
            assert name in sample
            value = sample[name]
            if value is None:
                assert variable.optional
            elif variable.many:
                assert all(set(each) == set(variable.fields) for each in value if variable.fields)
            elif variable.fields:
                assert set(value) >= set(variable.fields)


def test_the_documentation_names_everything_that_templates_may_use() -> None:
    page = (Path(__file__).parents[2] / "docs" / "templates.md").read_text()
    for name, variable in VARIABLES.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert variable.meaning in row
        assert all(f"`{field}`" in row for field in variable.fields)
