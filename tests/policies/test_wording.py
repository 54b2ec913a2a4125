"""Which words the check knows from harmless ones, language by language, however they are dressed."""

import pytest

from policies.wording import FORBIDDEN, PROMOTION, THREATS, Words, words_found

OURS = {
    "en": (
        ["Dear debtor", "our dunning run", "your arrears", "a Delinquent account", "defaulters", "a bad\ndebt"],
        ["the default address", "your debit note", "a direct debit came back"],
    ),
    "nl": (
        ["uw achterstand", "beste debiteur", "een wanbetaler", "U bent in gebreke", "de schuldenaar"],
        ["de schuldhulp van uw gemeente", "achteraf", "debet"],
    ),
    "de": (
        [
            "Sehr geehrter Schuldner",
            "2. Mahnung",
            "das Mahnverfahren",
            "ein Zahlungsrückstand",
            "Rückstände",
            "Hauptschuldnerin",
            "säumige Kunden",
            "Sie sind in Verzug",
            "wurden abgemahnt",
            "unsere Debitoren",
        ],
        [
            "die Schuldnerberatung der Caritas",
            "Schuldenberatung",
            "Zahlungserinnerung",
            "gesetzliche Verzugszinsen",
            "es ist rückwirkend",
            "Kundin",
        ],
    ),
    "fr": (
        [
            "cher débiteur",
            "CHÈRE DÉBITRICE",
            "relance contentieuse",
            "facture impayée",
            "les impayés",
            "vos arriérés",
            "mauvais payeur",
            "client défaillant",
        ],
        ["débit de votre compte", "être débité", "Rappel", "votre retard", "client"],
    ),
}
HARSH = {
    "en": (
        [
            "a collection agency",
            "legal action",
            "our lawyers",
            "further measures",
            "the court",
            "a final notice",
            "suspending deliveries",
            "stop deliveries",
            "our solicitor",
            "your credit rating",
        ],
        ["a courtesy", "of course", "issue", "a last word", "our proposal still stands"],
    ),
    "nl": (
        [
            "een incassobureau",
            "de deurwaarder",
            "verdere maatregelen",
            "een laatste aanmaning",
            "juridische stappen",
            "dagvaarding",
            "buitengerechtelijke kosten",
        ],
        ["via automatische incasso", "SEPA-incasso", "uw betaling", "rechtstreeks", "rechtspersoon"],
    ),
    "de": (
        [
            "ein Inkassobüro",
            "vor Gericht",
            "gerichtlich",
            "außergerichtliche Kosten",
            "Klage erheben",
            "verklagen",
            "unser Rechtsanwalt",
            "Anwälte",
            "der Gerichtsvollzieher",
            "ein Mahnbescheid",
            "rechtliche Schritte",
            "weitere Maßnahmen",
            "Letzte Zahlungsaufforderung",
            "eine Meldung an die SCHUFA",
            "Zwangsvollstreckung",
            "Liefersperre",
            "Amtsgericht",
        ],
        [
            "die Rechnung ist an Sie gerichtet",
            "wir klären es",
            "Anwendung",
            "Einzug",
            "weitere Angaben",
            "Lieferung",
            "in den letzten Tagen",
        ],
    ),
    "fr": (
        [
            "une société de recouvrement",
            "le tribunal",
            "nos avocats",
            "un huissier",
            "commissaire de justice",
            "mise en demeure",
            "dernier rappel",
            "recouvrement judiciaire",
            "des poursuites",
            "en justice",
            "service contentieux",
            "injonction de payer",
            "suspendre nos livraisons",
            "saisie-attribution",
        ],
        [
            "une erreur de saisie",
            "frais de recouvrement",
            "Rappel",
            "à court terme",
            "juste",
            "la suite",
            "vos mesures",
            "votre demande",
        ],
    ),
}
SELLING = {
    "en": (
        ["a 10% discount", "our special offer", "Sign up for our newsletter", "a voucher", "Upgrade today", "shop now"],
        ["a proposal", "we offer to spread it", "in your favour", "wholesale"],
    ),
    "nl": (
        ["10% korting", "zomerkorting", "een aanbieding", "onze nieuwsbrief", "Koop nu", "gratis proefmaand"],
        ["ons voorstel", "in uw voordeel", "gratis en vertrouwelijk advies", "een verkorting"],
    ),
    "de": (
        ["10 % Rabatt", "Treuerabatte", "ein Sonderangebot", "Ihr Gutschein", "jetzt bestellen", "unser Newsletter"],
        ["eine Gutschrift", "unser Vorschlag", "ein Angebot", "die Bestellnummer", "kostenlosen Rat"],
    ),
    "fr": (
        [
            "10 % de réduction",
            "une remise exceptionnelle",
            "une offre spéciale",
            "notre newsletter",
            "un bon d’achat",
            "Profitez de nos prix",
            "code promo",
        ],
        ["notre proposition", "le solde", "en votre faveur", "la remise en main propre", "un avoir"],
    ),
}


def _table(lists: dict[str, tuple[list[str], list[str]]]) -> list[tuple[str, str, bool]]:
    return [
        (language, text, found)
        for language, (bad, good) in lists.items()
        for texts, found in ((bad, True), (good, False))
        for text in texts
    ]


@pytest.mark.parametrize(("language", "text", "found"), _table(OURS))
def test_our_own_names_for_customers_are_found(language: str, text: str, found: bool) -> None:
    assert bool(words_found(FORBIDDEN, language, text)) is found


@pytest.mark.parametrize(("language", "text", "found"), _table(HARSH))
def test_threats_are_known_from_harmless_words(language: str, text: str, found: bool) -> None:
    assert bool(words_found(THREATS, language, text)) is found


@pytest.mark.parametrize(("language", "text", "found"), _table(SELLING))
def test_promotion_is_known_from_what_a_message_may_say(language: str, text: str, found: bool) -> None:
    assert bool(words_found(PROMOTION, language, text)) is found


@pytest.mark.parametrize(
    "dressed",
    [
        "our law\u00adyers",
        "our law\u200byers",
        "our **law**yers",
        "OUR LAWYERS",
        "our \uff4c\uff41\uff57\uff59\uff45\uff52\uff53",
        "further\n  measures",
        "further\u00a0measures",
    ],
    ids=["soft hyphen", "no space", "half bold", "capitals", "full width", "line break", "no-break space"],
)
def test_no_dress_hides_a_word(dressed: str) -> None:
    assert words_found(THREATS, "en", dressed)


def test_accents_put_together_are_the_same_letter() -> None:
    assert words_found(FORBIDDEN, "fr", "cher de\u0301biteur")


@pytest.mark.parametrize("lists", [FORBIDDEN, THREATS, PROMOTION])
def test_every_language_of_the_pack_has_its_own_list(lists: Words) -> None:
    assert set(lists) == {"en", "nl", "de", "fr"}


def test_a_language_without_a_list_is_looked_at_in_english() -> None:
    assert words_found(FORBIDDEN, "es", "Dear debtor")
