"""The texts of a simulator: what Twilio keeps of each, what it refuses, and who has opted out with it.

`messages.jsonl` has each text of ours as it was answered when made, `reports.jsonl` what became of those that did not
simply arrive, `incoming.jsonl` what customers texted. Any process that has the folder reads the same.
"""

import json
import secrets
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import phonenumbers

from connectors.sms.phones import e164
from maatpak.kernel.segments import segments

VERSION = "2010-04-01"
POOL = "+31970000000"
"""The number that a messaging service sends from."""
SERVICE = "MG"
LONGEST = 1600
LONGEST_WAIT = 36_000
"""Signs of a text, and seconds that it may be told to wait."""
CALLBACK = "status_callback"
"""Kept with a text, and not told with it: Twilio does not."""
KEYWORDS = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "STOP"),
    **dict.fromkeys(("START", "YES", "UNSTOP"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}
"""What Twilio itself takes the words for that it knows: at a STOP it blocks the number, at a START it lets it go."""
LANDLINES_TRIED = frozenset({"US", "CA", "GB"})
"""Countries to whose landlines Twilio tries to deliver."""


class Refusal(Exception):  # noqa: N818 - what Twilio calls it
    """What Twilio answers instead of taking a text."""

    def __init__(self, status: int, code: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.code = code


class Texts:
    """What the simulator of a folder has taken and received."""

    def __init__(self, folder: Path, account: str) -> None:
        self.account = account
        self._messages = folder / "messages.jsonl"
        self._incoming = folder / "incoming.jsonl"
        self._reports = folder / "reports.jsonl"

    def check(self, form: Mapping[str, str]) -> None:
        """Look a request over as Twilio does.

        Raises:
            Refusal: it would not be taken.
        """
        number, sender, service = form.get("To", ""), form.get("From", ""), form.get("MessagingServiceSid", "")
        if e164(number) != number:
            raise Refusal(400, 21211, f"Invalid 'To' Phone Number: {number}")
        parsed = phonenumbers.parse(number)
        landline = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE
        if landline and phonenumbers.region_code_for_number(parsed) not in LANDLINES_TRIED:
            raise Refusal(400, 21635, "'To' number cannot be a landline")
        if not sender and not service:
            raise Refusal(400, 21603, "A 'From' phone number is required.")
        if service and not service.startswith(SERVICE):
            raise Refusal(400, 21705, "The Messaging Service is invalid.")
        if sender and e164(sender) is None:
            raise Refusal(400, 21212, f"Invalid From Number: {sender}")
        if not form.get("Body"):
            raise Refusal(400, 21602, "Message body is required.")
        if len(form["Body"]) > LONGEST:
            raise Refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        if "StatusCallback" in form and not form["StatusCallback"].startswith(("http://", "https://")):
            raise Refusal(400, 21609, f"The 'StatusCallback' URL {form['StatusCallback']} is not a valid URL.")
        waits = form.get("ValidityPeriod", "1")
        if not waits.isdecimal() or not 1 <= int(waits) <= LONGEST_WAIT:
            raise Refusal(400, 90007, "Invalid validity period value")
        if self._said_last(number) == "STOP":
            raise Refusal(400, 21610, "Attempt to send to unsubscribed recipient")

    def take(self, form: Mapping[str, str], at: str) -> dict[str, Any]:
        """Keep a text of ours. One of a messaging service has no number yet, nor are its segments counted."""
        service = form.get("MessagingServiceSid")
        made = self._message("outbound-api", form["To"], form["Body"], at)
        made["status"] = "accepted" if service else "queued"
        made["from"] = form.get("From")
        made["messaging_service_sid"] = service
        made["num_segments"] = "0" if service else str(segments(form["Body"]))
        self._append(self._messages, {**made, CALLBACK: form.get("StatusCallback", "")})
        return made

    def taken(self, sid: str) -> tuple[dict[str, Any], str] | None:
        """A text of ours, and where its reports go; empty, where nobody asked for them."""
        for text in _lines(self._messages):
            if text["sid"] == sid:
                return text, text.pop(CALLBACK)
        return None

    def receive(self, sender: str, recipient: str, service: str | None, body: str, at: str) -> dict[str, Any]:
        """Keep a text of a customer."""
        got = self._message("inbound", recipient, body, at)
        got |= {"from": sender, "status": "received", "messaging_service_sid": service, "date_sent": at}
        got["num_segments"] = str(segments(body))
        return self._append(self._incoming, got)

    def report(self, sid: str, status: str, error_code: int | None) -> None:
        """Keep that a text did not simply arrive."""
        self._append(self._reports, {"sid": sid, "status": status, "error_code": error_code})

    def all(self) -> list[dict[str, Any]]:
        """All texts as they stand, the oldest first."""
        reports = {report["sid"]: report for report in _lines(self._reports)}
        ours = [_grown(text, reports.get(text["sid"], {})) for text in _lines(self._messages)]
        return sorted(ours + _lines(self._incoming), key=lambda text: parsedate_to_datetime(text["date_created"]))

    def _said_last(self, number: str) -> str | None:
        """The last STOP or START of a number."""
        said = [keyword(text["body"]) for text in _lines(self._incoming) if text["from"] == number]
        return next((word for word in reversed(said) if word in ("STOP", "START")), None)

    def _message(self, direction: str, number: str, body: str, at: str) -> dict[str, Any]:
        sid = "SM" + secrets.token_hex(16)
        uri = f"/{VERSION}/Accounts/{self.account}/Messages/{sid}"
        return {
            "account_sid": self.account,
            "api_version": VERSION,
            "body": body,
            "date_created": at,
            "date_sent": None,
            "date_updated": at,
            "direction": direction,
            "error_code": None,
            "error_message": None,
            "num_media": "0",
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": number,
            "uri": f"{uri}.json",
        }

    def _append(self, path: Path, line: dict[str, Any]) -> dict[str, Any]:
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return line


def keyword(body: str) -> str | None:
    """What Twilio takes a text for: STOP, START or HELP; nothing for any other."""
    return KEYWORDS.get(body.strip().upper())


def _grown(text: dict[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """A text of ours as it stands after it was sent."""
    return {
        **{name: value for name, value in text.items() if name != CALLBACK},
        "from": text["from"] or POOL,
        "num_segments": str(segments(text["body"])),
        "date_sent": text["date_created"],
        "status": report.get("status", "delivered"),
        "error_code": report.get("error_code"),
    }


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
