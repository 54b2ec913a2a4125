"""What the check of templates refuses, in every language, also where no sample would show it."""

import re

import pytest

from maatpak.kernel.segments import fitting, is_gsm, segments
from maatpak.kernel.words import Channel
from policies.render import FOLDER, Templates
from policies.templates import check_templates
from policies.vocabulary import LABEL_NAMES, longest, samples
from tests.policies.templating import FILES, LANGUAGES, Use, note, notice, problems, steps_of_the_standard_pack

WAYS = "- <pay> Pay.\n- <when> Say when.\n- <wrong> Say what.\n- <never_got> Say so.\n"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{% block why %}{% endblock %}", "it does not say why it comes"),
        ("{% block lead %}{% endblock %}", "the date for which that is known"),
        ("{% block pay %}{% endblock %}", "how to pay"),
        ("{% block next %}{% endblock %}", "what happens next"),
        ("{% block next %}Soon.{% endblock %}", "when that is"),
        ("{% block ways %}{% endblock %}", "the four ways"),
        ("{% block ways %}" + WAYS.replace("- <when> Say when.\n", "") + "{% endblock %}", "the four ways"),
        ("{% block ways %}" + WAYS.replace("Say when.", "**.**") + "{% endblock %}", "the four ways"),
        ('{% block ways %}{% if channel == "email" %}' + WAYS + "{% endif %}{% endblock %}", "the four ways"),
        ("{% block pay %}{% if not manager %}\n[pay]\n{% endif %}{% endblock %}", "how to pay"),
        ("{% block sms %}{{ creditor.name }}: {{ total }}, {{ contact }}.{% endblock %}", "how to pay"),
        ("{% block sms %}{{ creditor.name }} {{ pay.link or pay.iban }} {{ contact }}{% endblock %}", "the amount"),
        (
            "{% block sms %}{{ creditor.name }} {{ total }} {{ reply_by }}{% endblock %}",
            "message does not say the date for",
        ),
        ("{% block sms %}{{ creditor.name }} {{ total }} {{ known_on }}{% endblock %}", "when something follows"),
    ],
)
def test_a_notice_without_a_part_that_it_owes_is_refused(language: str, block: str, said: str) -> None:
    why = [] if "block why" in block else ["{% block why %}{{ reply_by }}{% endblock %}"]
    source = "\n".join([f'{{% extends "{language}/_notice.j2" %}}', *why, block])
    assert any(said in problem for problem in problems("poor", source, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_with_all_that_it_owes_is_taken(language: str) -> None:
    assert problems("fine", notice("{{ total }}, {{ reply_by }}.", language=language), language) == []


THREATS = {"en": "our lawyers", "nl": "een incassobureau", "de": "ein Inkassobüro", "fr": "un huissier"}
OURS = {"en": "debtor", "nl": "debiteur", "de": "Schuldner", "fr": "débiteur"}
SELLING = {"en": "a discount", "nl": "een korting", "de": "ein Rabatt", "fr": "une offre spéciale"}
HIDDEN = {
    "for a country of no sample": '{{% if customer.country == "XX" %}}{}{{% endif %}}',
    "in a value": '{{{{ "{}" if customer.country == "XX" else "" }}}}',
    "in a set value": '{{% set x = "{}" %}}{{{{ x }}}}',
    "as half bold": "{:.4}**{}**",
    "across lines": "We\n{}",
}


def _dressed(dress: str, word: str) -> str:
    return f"{word[:5]}**{word[5:]}**" if "bold" in dress else HIDDEN[dress].format(word)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("dress", HIDDEN)
def test_no_turn_of_a_template_hides_a_word(dress: str, language: str) -> None:
    for words, said in ((THREATS, "only a demand"), (OURS, "no customer is to read"), (SELLING, "does not sell")):
        found = problems("sly", note(f"Hello. {_dressed(dress, words[language])}", language), language)
        assert any(said in problem for problem in found), (words, found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_put_together_is_found_where_a_sample_shows_it(language: str) -> None:
    word = OURS[language]
    source = note(f'{{{{ "{word[:3]}" ~ "{word[3:]}" }}}}', language)
    assert problems("sly", source, language) == [
        f"templates/{language}/sly.j2:1: no customer is to read the word {word!r}"
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_demand_may_threaten_and_sells_nothing(language: str) -> None:
    blocks = ("{% block kind %}demand{% endblock %}", "{% block sms %}{% endblock %}")
    next_ = "{% block next %}{{ pay_by }}, {{ customer.kind }}.{% endblock %}"
    demand = notice(THREATS[language], *blocks, next_, language=language)
    assert problems("harsh", demand, language, escalating=True) == []
    sells = demand.replace(THREATS[language], SELLING[language])
    assert any("does not sell" in problem for problem in problems("harsh", sells, language, escalating=True))
    assert any("not escalating" in problem for problem in problems("harsh", demand, language))


def test_a_threat_in_what_a_template_extends_is_found_there() -> None:
    source = '{% extends "en/final_demand.j2" %}{% block kind %}notice{% endblock %}'
    found = problems("sly", source)
    assert any(re.match(r"templates/en/final_demand\.j2:\d+: only a demand may say", problem) for problem in found)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{{ custmer.name }}", "there is no 'custmer' for templates; did you mean 'customer'?"),
        ("{{ customer['nmae'] }}", "'customer' has no 'nmae'; did you mean 'name'?"),
        ("{% for each in earlier %}{{ each.howw }}{% endfor %}", "'each' has no 'howw'; did you mean 'how'?"),
        ("{% for each in earlier %}{{ each['when'] }}{% endfor %}", "'each' has no 'when'"),
        ("{{ received[0].amont }}", "'received' has no 'amont'; did you mean 'amount'?"),
        ('{% if customer.country == "XX" %}{{ debtor.name }}{% endif %}', "there is no 'debtor' for templates"),
        ("{{ total.real }}", "'total' has no 'real'"),
        ("{{ total|moeny }}", "No filter named 'moeny'"),
    ],
)
def test_what_there_is_not_is_found(words: str, said: str) -> None:
    assert any(said in problem for problem in problems("typo", note(words)))


def test_a_label_that_is_missing_empty_unknown_or_unfriendly_is_found() -> None:
    name = f"{FOLDER}de/labels.yaml"
    spoilt = FILES[name].replace("due: Fällig", "deu: Fällig").replace("scan: Zum Bezahlen scannen", 'scan: ""')
    spoilt = spoilt.replace("is_overdue: überfällig", "is_overdue: beim Inkasso")
    found = [str(problem) for problem in check_templates({**FILES, name: spoilt}, [])]
    assert found == [
        f"{name}:1: no table or letter is to say 'Inkasso'",
        f"{name}:1: the word for 'due' is missing",
        f"{name}:1: the word for 'scan' is missing",
        f"{name}:1: there is no word 'deu'; did you mean 'due'?",
    ]
    never = {**FILES, name: FILES[name].replace("Antwort STOP", "bitte melden")}
    assert [str(problem) for problem in check_templates(never, [])] == [
        f"{name}:1: the word for 'stop' has no STOP in it, with which a customer ends text messages"
    ]
    without = {file: text for file, text in FILES.items() if file != name}
    assert any("fixed words" in str(problem) for problem in check_templates(without, []))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_label(language: str) -> None:
    assert Templates(FILES).labels(language).keys() >= LABEL_NAMES


PLAIN = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà€^{}\\[~]|"
)
"""The signs of a phone's own alphabet (GSM 03.38): one other sign makes every part of a text half as long."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_to_phones_are_written_in_their_own_alphabet(language: str) -> None:
    templates = Templates(FILES)
    for step in steps_of_the_standard_pack():
        for sample in samples():
            if step.template:
                text = templates.render(step.template, str(step.tone), Channel.SMS, language, sample).text
                assert set(text) <= PLAIN, (step.template, set(text) - PLAIN)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_fits_in_three_parts_with_long_names_and_says_how_to_end_texts(language: str) -> None:
    templates = Templates(FILES)
    seen = 0
    for step in steps_of_the_standard_pack():
        for sample in longest() if step.template else ():
            text = templates.render(str(step.template), str(step.tone), Channel.SMS, language, sample).text
            if text:
                seen += 1
                assert not is_gsm(text), "the creditor's name has a letter that phones do not have"
                assert segments(fitting(text, 3)) <= 3, (step.template, text)
                assert text.endswith("STOP.")
    assert seen > 40


def test_a_text_that_long_names_make_too_long_is_refused() -> None:
    words = (
        "{% block sms %}{{ creditor.name }}: {{ total }} ({{ known_on }}), {{ reply_by }}, {{ pay.link or pay.iban }},"
        " {{ contact }}. %s{% endblock %}"
    )
    fits, long = (words.replace("%s", "So it is. " * count) for count in (15, 26))
    assert problems("fits", notice("{{ total }}, {{ reply_by }}.", fits)) == []
    (problem,) = problems("long", notice("{{ total }}, {{ reply_by }}.", long))
    assert "its text message is cut into 8 parts where names and amounts are long; 3 are the most" in problem


def test_french_marks_stay_with_their_words() -> None:
    templates = Templates(FILES)
    for step in steps_of_the_standard_pack():
        for sample in samples():
            if step.template:
                rendered = templates.render(step.template, str(step.tone), Channel.EMAIL, "fr", sample)
                words = re.sub(r"https:\S+", "", f"{rendered.subject}\n{rendered.text}")
                assert not re.search(r"[^\u202f\n][:;!?»]|«[^\u202f]|\w'\w", words), words


def test_german_goes_on_in_small_letters_after_the_greeting() -> None:
    templates = Templates(FILES)
    verbs = re.compile(r"(Wir|Ihre|Ihr|Dies|Vielleicht|Seit|Unser|Am|Bei|Die|Der|Vielen|Ich|Willkommen)\b")
    for step in steps_of_the_standard_pack():
        for sample in samples():
            if step.template:
                rendered = templates.render(step.template, str(step.tone), Channel.EMAIL, "de", sample)
                first = next(block for block in rendered.blocks if block.part == "why")
                assert not verbs.match(first.lines[0]) or first.lines[0].startswith("Ihre Bank"), first.lines[0]


def test_every_kind_of_use_is_looked_at() -> None:
    (problem,) = check_templates(FILES, [Use("reminder"), Use("nothing")])[:1]
    assert "there is no such template" in str(problem)
