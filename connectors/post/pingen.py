"""Letters printed and posted by Pingen, over its official client.

A letter is uploaded, and then created and sent in one request: a kill between two would leave a letter that nobody
sends. That request carries the letter's reference as idempotency key, and before it Pingen is asked for a letter of
that name, for a key does not last for ever. So an attempt that was broken off is simply made again, and prints once.

The client's own steps for the token, the upload and the creation know neither time limits nor keys, or take a failed
upload for a good one; these three are made here, the rest is the client's.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal

import pingen2sdk
import requests

from connectors.message import Begun, Enclosure, Outgoing, at_once
from connectors.outcome import Blame, Failed, Held, NoService, Outcome, Sent, Unknown
from connectors.post.binding import bound, printable
from connectors.post.hooks import CATEGORIES, report_of
from connectors.post.pingen_simulator import PingenSimulator
from connectors.post.port import LetterReport
from connectors.post.typesetting import Typesetters, fitting
from maatpak.kernel.errors import OutsideError, TransientError, WorkspaceError
from maatpak.kernel.ids import reference_token

TIMEOUT = 30.0
PAGE = 100
SCOPE = "letter webhook"
NO_LOGIN = frozenset({401, 403, 404})
"""The token, the rights or the organisation are not right."""
PASSING = frozenset({402, 423, 425, 429})
"""Of the account or of too many letters: nothing that this letter is to blame for."""
LOST = frozenset({"cancelled", "cancelling", "expired", "invalid", "rejected", "unprintable"})
"""States of a letter that will not be posted."""
MEND_LOGIN = (
    "Correct MAATPAK_PINGEN_CLIENT, MAATPAK_PINGEN_SECRET and MAATPAK_PINGEN_ORGANISATION: "
    "the service that posts letters refuses them."
)
MEND_SERVICE = "See that the service that posts letters (MAATPAK_PINGEN_URL) runs and is reached from here."


class PingenPost:
    """Pingen, its staging environment, or the workspace's own simulator of it."""

    lanes = 4
    repeatable = True

    def __init__(
        self,
        *,
        url: str,
        client: str,
        secret: str,
        organisation: str,
        product: str,
        print_mode: Literal["simplex", "duplex"],
        print_spectrum: Literal["color", "grayscale"],
        simulator: PingenSimulator | None = None,
    ) -> None:
        self.simulator = simulator
        self._url = url.rstrip("/")
        self._client = client
        self._secret = secret
        self._organisation = organisation
        self._printing = {"delivery_product": product, "print_mode": print_mode, "print_spectrum": print_spectrum}
        self._typesetters = Typesetters(fitting())
        self._lock = threading.Lock()
        self._token: tuple[str, float] | None = None

    async def send(
        self,
        outgoing: Outgoing,
        enclosures: Sequence[Enclosure],
        valid_for: timedelta | None = None,
        begun: Begun = at_once,
    ) -> Outcome:
        """Set the letter, and have it printed with its enclosures and posted."""
        del valid_for
        if not outgoing.recipient.lines:
            return Failed("the letter has no address", permanent=True)
        uploaded = await asyncio.to_thread(self._uploaded, outgoing, enclosures)
        if not isinstance(uploaded, tuple):
            return uploaded
        if not await begun():
            return Held()
        return await asyncio.to_thread(self._create, outgoing, *uploaded)

    async def ask(self, outgoing: Outgoing) -> Outcome:
        """Look for a letter with our reference."""
        return await asyncio.to_thread(self._ask, outgoing)

    async def cancel(self, service_ref: str, on: date) -> bool:
        """Have a letter not be posted; whether Pingen takes that back in time."""
        del on
        return await asyncio.to_thread(self._cancel, service_ref)

    async def reports(self, since: date) -> Sequence[LetterReport]:
        """What Pingen knows of letters on that day or later, oldest first."""
        return await asyncio.to_thread(lambda: sorted(self._reports(since)))

    async def watch(self, url: str, secret: str) -> bool:
        """Have Pingen call back about everything; what calls there already stays."""
        await asyncio.to_thread(self._watch, url, secret)
        return True

    async def close(self) -> None:
        """Forget the token; the next `send` asks for a new one."""
        with self._lock:
            self._token = None

    def shut(self) -> None:
        """End the processes that set letters, and the simulator, where there is one."""
        self._typesetters.stop()
        if self.simulator is not None:
            self.simulator.stop()

    def _uploaded(self, outgoing: Outgoing, enclosures: Sequence[Enclosure]) -> tuple[str, str] | Outcome:
        """Where the letter that was set lies at Pingen, and the signature of that; or what is to become of it."""
        if unfit := [each.name for each in enclosures if not printable(each)]:
            return Failed(f"no PDF, so it cannot be printed: {', '.join(unfit)}", permanent=True)
        pdf = self._typesetters.letter(outgoing, sender_line=False)
        if not isinstance(pdf, bytes):
            return pdf
        if enclosures:
            pdf = bound([pdf, *(each.content for each in enclosures)])
        try:
            known = self._find(outgoing)
            if known is not None:
                return _standing(known)
            return self._upload(pdf)
        except (pingen2sdk.PingenError, requests.RequestException, ValueError, WorkspaceError) as error:
            return _not_taken(error)

    def _ask(self, outgoing: Outgoing) -> Outcome:
        try:
            known = self._find(outgoing)
        except (pingen2sdk.PingenError, requests.RequestException, ValueError, WorkspaceError) as error:
            return Unknown(f"the service could not be asked: {_words(error)}")
        return Unknown("the service does not know of it") if known is None else _standing(known)

    def _find(self, outgoing: Outgoing) -> dict[str, Any] | None:
        name = _name(outgoing)
        wanted = {"filter": json.dumps({"and": [{"file_original_name": name}]}), "page[limit]": PAGE}
        found = self._of(pingen2sdk.Letters).get_collection(wanted)
        return next((each for each in found.data["data"] if each["attributes"]["file_original_name"] == name), None)

    def _upload(self, pdf: bytes) -> tuple[str, str]:
        file_url, file_signature = pingen2sdk.FileUpload(self._requestor()).request_file_upload()
        requests.put(file_url, data=pdf, timeout=TIMEOUT).raise_for_status()
        return file_url, file_signature

    def _create(self, outgoing: Outgoing, file_url: str, file_signature: str) -> Outcome:
        attributes = {
            "file_original_name": _name(outgoing),
            "file_url": file_url,
            "file_url_signature": file_signature,
            "address_position": "left",
            "auto_send": True,
            **self._printing,
        }
        try:
            made = self._requestor().perform_post_request(
                f"/organisations/{self._organisation}/deliveries/letters",
                json.dumps({"data": {"type": "letters", "attributes": attributes}}),
                {"Idempotency-Key": reference_token(outgoing.message_ref)},
            )
            return Sent(made.data["data"]["id"])
        except pingen2sdk.PingenError as error:
            return _refusal(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service may have the letter (law 3)
            return Unknown(f"the connection ended while the letter was handed over: {_words(error)}")

    def _cancel(self, service_ref: str) -> bool:
        try:
            self._of(pingen2sdk.Letters).cancel(service_ref)
        except pingen2sdk.PingenError as error:
            if 400 <= (error.status_code or 500) < 500 and error.status_code not in (401, 429):
                return False
            raise _trouble(error) from None
        except (requests.RequestException, ValueError, WorkspaceError) as error:
            raise _trouble(error) from None
        return True

    def _reports(self, since: date) -> Iterator[LetterReport]:
        try:
            for category in CATEGORIES:
                for event in self._newest_first(f"events/{category}"):
                    attributes = event["attributes"]
                    if datetime.fromisoformat(attributes["created_at"]).date() < since:
                        break
                    report = report_of(event["relationships"]["letter"]["data"]["id"], attributes, category)
                    if report is not None and report.on >= since:
                        yield report
        except (pingen2sdk.PingenError, requests.RequestException, ValueError, WorkspaceError) as error:
            raise _trouble(error) from None

    def _watch(self, url: str, secret: str) -> None:
        try:
            hooks = self._of(pingen2sdk.Webhooks)
            there = [each["attributes"] for each in hooks.get_collection({"page[limit]": PAGE}).data["data"]]
            calling = {each["event_category"] for each in there if each["url"] == url}
            for category in CATEGORIES:
                if category not in calling:
                    hooks.create(category, url, secret)
        except (pingen2sdk.PingenError, requests.RequestException, ValueError, WorkspaceError) as error:
            raise _trouble(error) from None

    def _newest_first(self, listing: str) -> Iterator[dict[str, Any]]:
        page, last = 1, 1
        while page <= last:
            found = self._requestor().perform_get_request(
                f"/organisations/{self._organisation}/deliveries/letters/{listing}",
                {"sort": "-created_at", "page[number]": page, "page[limit]": PAGE},
            )
            yield from found.data["data"]
            page, last = page + 1, int(found.data.get("meta", {}).get("last_page", 1))

    def _of(self, resource: Callable[[str, str], Any]) -> Any:
        """One of the client's resources, at our URL."""
        made = resource(self._organisation, "")
        made.api_requestor = self._requestor()
        return made

    def _requestor(self) -> Any:
        url = self.simulator.url() if self.simulator is not None else self._url
        requestor = pingen2sdk.APIRequestor(self._login(url))
        requestor.api_base = url
        return requestor

    def _login(self, url: str) -> str:
        with self._lock:
            if self._token is None or self._token[1] < time.monotonic():
                form = {"grant_type": "client_credentials", "client_id": self._client, "client_secret": self._secret}
                answer = requests.post(f"{url}/auth/access-tokens", {**form, "scope": SCOPE}, timeout=TIMEOUT)
                if answer.status_code in (400, 401, 403):
                    raise pingen2sdk.PingenError("the login was refused", None, 401)
                answer.raise_for_status()
                told = answer.json()
                # A minute early, so that no token ends between two requests.
                self._token = (str(told["access_token"]), time.monotonic() + float(told["expires_in"]) - 60)
            return self._token[0]


def _standing(letter: Mapping[str, Any]) -> Outcome:
    status = letter["attributes"]["status"]
    if status in LOST:
        return Failed(f"the service has it as {status}", permanent=True)
    return Sent(letter["id"])


def _not_taken(error: Exception) -> Outcome:
    """What an error means before the letter was created."""
    words = _words(error)
    if isinstance(error, WorkspaceError):
        return NoService(words, error.advice)
    if isinstance(error, requests.ConnectionError | requests.Timeout):
        return NoService(f"no connection: {words}", MEND_SERVICE)
    if isinstance(error, pingen2sdk.PingenError) and error.status_code in NO_LOGIN:
        return NoService(words, MEND_LOGIN)
    return Failed(words, permanent=False, blame=Blame.SERVICE)


def _refusal(error: pingen2sdk.PingenError) -> Outcome:
    """What an answer to the creation means."""
    words, status = _words(error), error.status_code or 500
    if status >= 500 or status == 409:  # a conflict: the first request with this key is still at work
        return Unknown(words)
    if status in NO_LOGIN:
        return NoService(words, MEND_LOGIN)
    if status in PASSING:
        return Failed(words, permanent=False, blame=Blame.SERVICE)
    return Failed(words, permanent=True)


def _trouble(error: Exception) -> OutsideError:
    if isinstance(error, pingen2sdk.PingenError) and error.status_code in NO_LOGIN:
        return OutsideError(f"Pingen refuses us: {_words(error)}.", advice=MEND_LOGIN)
    return TransientError(f"Pingen cannot be asked now: {_words(error)}.", advice=MEND_SERVICE)


def _words(error: Exception) -> str:
    if not isinstance(error, pingen2sdk.PingenError):
        return str(error)[:500]
    told = getattr(error, "json_body", None)
    details = told.get("errors", []) if isinstance(told, dict) else []
    said = "; ".join(str(each.get("detail") or each.get("title")) for each in details) or str(error)
    return f"{error.status_code} {said}"[:500]


def _name(outgoing: Outgoing) -> str:
    """Under this Pingen keeps the letter."""
    return f"{reference_token(outgoing.message_ref)}.pdf"
