"""Telephone numbers as the service takes and gives them."""

import phonenumbers


def e164(number: str | None) -> str | None:
    """An international number in E.164 form; nothing for what cannot be one.

    Only its length is checked: ranges are opened faster than anybody's table of them is renewed, and the service knows.
    """
    try:
        parsed = phonenumbers.parse(number or "", None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
