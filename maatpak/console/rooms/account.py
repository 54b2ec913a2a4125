"""A visitor's own account: password, and tokens for programs."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import EVERYBODY, Act, Done, Room, Sheet
from maatpak.console.frame.fields import Line, NoFields
from tasks.access.credentials import change_password
from tasks.access.tokens import DAYS, MOST_DAYS, Scope, make_token, revoke_token

PATH = "/account"
Password = Annotated[str, Field(max_length=300, json_schema_extra={"kind": "password"})]
TOKENS = """
SELECT t.id AS token_id, t.name, t.scope, t.created_at, t.expires_at::date AS expires_on, t.last_used_on
FROM api_token t WHERE t.person_id = :person AND t.revoked_at IS NULL AND t.expires_at > :now ORDER BY t.id
"""


@dataclass(frozen=True)
class Token:
    """A token that is good now. What it is cannot be read again."""

    token_id: int
    name: str
    """What it is for."""
    scope: str
    """`read` or `write`."""
    created_at: datetime
    expires_on: date
    last_used_on: date | None


@dataclass(frozen=True)
class Account:
    """What the account's page shows."""

    login: str
    name: str
    role: str
    approval_limit: int
    """Minor units of `limit_currency`."""
    limit_currency: str
    creditors: list[str]
    """Codes of those that the visitor may see."""
    tokens: list[Token]


class NewPassword(BaseModel):
    """A change of one's own password."""

    old: Password = Field(title="Present password")
    new: Password = Field(
        title="New password", description="At least 12 signs; four words that nobody would put together."
    )


class NewToken(BaseModel):
    """A token for a program."""

    name: Line = Field(title="What for", min_length=1, max_length=80)
    scope: Scope = Field("read", title="May", description="Writing is everything that you may do yourself.")
    days: int = Field(DAYS, title="Good for days", ge=1, le=MOST_DAYS)


def _read(asking: Asking) -> Account:
    who = asking.visitor
    tokens = asking.rows(TOKENS, person=who.person_id, now=asking.now)
    return Account(
        login=who.login,
        name=who.name,
        role=who.role,
        approval_limit=who.approval_limit,
        limit_currency=who.limit_currency,
        creditors=[each.code for each in who.creditors],
        tokens=[Token(**row) for row in tokens],
    )


def _change_password(acting: Acting, form: NewPassword) -> Done:
    change_password(acting.engine, acting.visitor.login, form.old, form.new, acting.now, keep=acting.visitor.key)
    return Done("Your password is another one now. Other browsers are logged out.", PATH)


def _make_token(acting: Acting, form: NewToken) -> Done:
    token, row = make_token(acting.engine, acting.visitor.login, form.name, form.scope, acting.now, form.days)
    told = f"This is the token, which is shown only now: {token}"
    return Done(told, PATH, {"token": token, "token_id": row.id})


def _revoke(acting: Acting, form: NoFields, token_id: int) -> Done:
    del form
    revoke_token(acting.engine, token_id, acting.visitor.login, acting.now)
    return Done("The token is good for nothing any more.", PATH)


def _act(path: str, title: str, said: str, form: type[BaseModel], do: Any, **more: Any) -> Act:
    return Act(f"{PATH}{path}", title, said, form, do, EVERYBODY, **more)


ACCOUNT = Room(
    name="account",
    title="My account",
    path=PATH,
    in_menu=False,
    sheets=(
        Sheet(
            PATH,
            "My account",
            "Who you are here, your password, and tokens for programs.",
            Account,
            _read,
            "account.html",
            EVERYBODY,
        ),
    ),
    acts=(
        _act(
            "/password",
            "Change password",
            "You stay logged in here; other browsers do not.",
            NewPassword,
            _change_password,
            secret=True,
        ),
        _act(
            "/tokens",
            "Make a token",
            "With it a program may do what you may, until it ends or you revoke it.",
            NewToken,
            _make_token,
            secret=True,
        ),
        _act("/tokens/{token_id}/revoke", "Revoke", "Programs that use it are refused from now on.", NoFields, _revoke),
    ),
)
