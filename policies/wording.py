"""Words that a message must not have, by language: our own names for customers who owe, threats, and promotion.

Text is looked at as a reader sees it (`as_read`): no mark, soft hyphen or invisible sign hides a word. A pack that
writes in another language is looked at with the English lists.
"""

import re
import unicodedata
from collections.abc import Mapping

Words = Mapping[str, re.Pattern[str]]
"""Patterns by language."""

_FALLBACK = "en"


def _any_of(*phrases: str, unless_after: tuple[str, ...] = ()) -> re.Pattern[str]:
    """Whole words; a space in a phrase may be a line break in a text."""
    before = "".join(f"(?<!{each})" for each in unless_after)
    return re.compile(rf"{before}\b(?:{'|'.join(phrases).replace(' ', chr(92) + 's+')})\b", re.IGNORECASE)


FORBIDDEN: Words = {
    "en": _any_of(
        *("debtors?", "dunning", "dunned", "arrears", r"delinquen\w*", "defaulters?", "bad debts?", "deadbeats?"),
    ),
    "nl": _any_of(
        *("debiteur(?:en)?", "schuldenaars?", "schuldenaren", "dunning", "achterstand(?:en)?"),
        *("wanbetalers?", "wanbetaling", "in gebreke"),
    ),
    "de": _any_of(
        # Debt advice is called so, and it is help.
        *(r"(?!schuldnerberat)\w*schuldner\w*", "debitor(?:en)?", "dunning"),
        r"\w*mahn(?:ung|ungen|en|t|te|lauf|läufe|stufe|stufen|wesen|verfahren|gebühr|gebühren)",
        *(r"(?:an|ab)?gemahnt\w*", r"\w*rückst[aä]nd\w*", r"säumig\w*", "zahlungsverzug", "in verzug"),
    ),
    "fr": _any_of(
        *("débit(?:eur|rice)s?", r"relanc\w+", "impayée?s?", "arriérée?s?", "mauvais payeurs?", "retardataires?"),
        *("défaillant(?:e?s?)", "créances? douteuses?", "dunning"),
    ),
}
"""Words that no customer reads."""

THREATS: Words = {
    "en": _any_of(
        *(r"collection agenc\w*", r"debt collect\w*", "legal (?:actions?|proceedings|steps|consequences)", "courts?"),
        *("bailiffs?", "solicitors?", "lawyers?", "attorneys?", "litigation", "sue", "prosecut\\w*"),
        *("credit (?:bureaus?|ratings?|registers?|scores?)", r"blacklist\w*", "further (?:measures|steps|action)"),
        *("consequences of", "(?:final|last) (?:demand|notice|warning|reminder)", r"suspend\w*"),
        r"stop (?:deliver|suppl)\w*",
    ),
    "nl": _any_of(
        *(r"incasso\w*", r"(?:buiten)?gerechtelijk\w*", "rechter", "rechtbank", "rechtszaak", r"dagvaard\w*"),
        *(r"(?:gerechts)?deurwaarder\w*", r"advoca\w*", "vonnis", "beslag(?:legging|leggen)?", r"sommatie\w*"),
        *("(?:verdere|juridische) (?:maatregelen|stappen|gevolgen)", "rechtsmaatregelen", "zwarte lijst"),
        *("(?:laatste|finale) (?:aanmaning|herinnering|waarschuwing)", r"kredietregist\w*", "leveringsstop"),
        unless_after=("automatische ", "sepa-"),
    ),
    "de": _any_of(
        *(r"\w*inkasso\w*", r"(?:amts|land)?gericht(?:e|en|s\w*)?", r"(?:außer|vor)?gerichtlich\w*", "klagen?"),
        *(r"klage\w+", r"(?:ver|ein)klag\w*", r"\w*anw[aä]lt\w*", r"\w*vollstreck\w*", r"\w*pfänd\w*", "mahnbescheid"),
        *(r"(?:rechtliche|juristische|weitere)[rn]? (?:schritte|maßnahmen|massnahmen|konsequenzen|folgen)",),
        *(r"schufa\w*", "creditreform", r"auskunftei\w*", r"bonitäts\w*", r"liefer(?:sperre|stopp)\w*"),
        *("letzte[rsn]? (?:zahlungsaufforderung|aufforderung|erinnerung|zahlungserinnerung|warnung|frist)",),
        *("letztmalig", "konsequenzen"),
    ),
    "fr": _any_of(
        *("(?:sociétés?|cabinets?|agences?|organismes?|services?|procédures?) de recouvrement", "contentieux"),
        *("recouvrement (?:judiciaire|forcé|amiable)", "judiciaires?", "tribun(?:al|aux)", "juges?", "huissiers?"),
        *("commissaires? de justice", "avocats?", "assignations?", "en justice", "poursuites?", "injonction de payer"),
        *("saisies?[- ](?:arrêt|attribution|vente|conservatoire)", "mis(?:e|es)? en demeure", "mett\\w+ en demeure"),
        *(
            "(?:dernier|dernière|ultime) (?:avertissement|avis|rappel|sommation|demande)",
            "sommation",
            "voies? de droit",
        ),
        *(
            "(?:autres|d'autres) mesures",
            "mesures (?:supplémentaires|ultérieures|coercitives)",
            r"fichage|fichier bancaire",
        ),
        *("actions? (?:légales?|juridiques?)", "suites? (?:judiciaires?|juridiques?)", "conséquences"),
        "(?:suspen\\w+|arrêt|blocage) (?:de |des |nos |vos |les )*livraisons?",
    ),
}
"""Words that only a demand may use."""

PROMOTION: Words = {
    "en": _any_of(
        *("discounts?", "(?:special|limited|exclusive) offers?", r"promotion\w*", "promo", "vouchers?", "coupons?"),
        *("newsletters?", "(?:free|trial) (?:trial|months?)", "shop now", "buy now", "cashback", "sale"),
        *(r"new (?:products?|collection|range)", r"upgrade\w*", "subscribe", "loyalty (?:points?|programme)"),
    ),
    "nl": _any_of(
        *(
            r"(?!af|in|ver)\w*korting(?:en|s\w+)?",
            r"(?:speciale |tijdelijke )?aanbieding(?:en)?",
            r"actie(?:prijs|prijzen|code)",
        ),
        *(r"promoti\w*", "promo", "nieuwsbrief", "cadeaubon(?:nen)?", r"gratis (?:proef\w*|maanden?)", "koop nu"),
        *("nu kopen", "nieuwe (?:producten|collectie)", "spaarpunten"),
    ),
    "de": _any_of(
        *(r"\w*rabatt\w*", r"(?:sonder|aktions)(?:angebot|preis|aktion)\w*", r"\w*gutschein\w*", "newsletter"),
        *(r"werbeaktion\w*", r"promotion\w*", "jetzt (?:kaufen|bestellen|shoppen)", r"gratis(?:monat|probe)\w*"),
        *(r"(?:exklusive|besondere)[sn]? angebote?", "neue (?:produkte|kollektion)", r"treuepunkte\w*", "schnäppchen"),
    ),
    "fr": _any_of(
        *("promotions?", "promo", r"offres? (?:spéciales?|promotionnelles?|exceptionnelles?|exclusives?)"),
        *("remises? (?:de|exceptionnelles?|commerciales?|sur)", "réductions?", "bons? (?:d'achat|de réduction)"),
        *("codes? promo", "newsletter", "infolettre", "essai gratuit", "nouve(?:aux|lle) (?:produits|collection)"),
        *("abonnez-vous", "profitez", "achetez", "cadeaux?", "points de fidélité"),
    ),
}
"""Words that sell: a message about money owed sells nothing."""


def words_found(lists: Words, language: str, text: str) -> list[tuple[int, str]]:
    """What of a list stands in a text: (place in the text as read, the words)."""
    pattern = lists.get(language, lists[_FALLBACK])
    return [(found.start(), found[0]) for found in pattern.finditer(as_read(text))]


def as_read(text: str) -> str:
    """A text as it is read, line by line: without marks and invisible signs, one kind of apostrophe and of space."""
    composed = unicodedata.normalize("NFKC", text).replace("**", "").replace("’", "'")
    seen = "".join(sign for sign in composed if unicodedata.category(sign) != "Cf")
    return re.sub(r"[^\S\n]+", " ", seen)
