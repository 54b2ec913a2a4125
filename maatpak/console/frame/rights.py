"""What a visitor's role may see and do: asked by pages and programs alike, before anything else is looked at."""

from collections.abc import Sequence

from maatpak.console.frame.declared import Act
from maatpak.console.frame.problems import ForbiddenError
from maatpak.kernel.words import Role
from tasks.access.visitor import Visitor


def may_do(act: Act, visitor: Visitor) -> bool:
    """Whether an act is offered: by role, and because their token or role may change anything at all."""
    return visitor.role in act.roles and visitor.may_write


def require_role(act: Act, visitor: Visitor) -> None:
    """Refuse who may not: by role, or because their token or role changes nothing.

    Raises:
        ForbiddenError: they may not.
    """
    if visitor.role not in act.roles:
        raise ForbiddenError(
            f"{visitor.login} is {visitor.role}: that role may not do this ({act.title}).",
            advice=f"Ask somebody who is {' or '.join(act.roles)}.",
        )
    if not visitor.may_write:
        raise ForbiddenError("This token is for reading only.", advice="Use one with the scope `write`.")


def require_reader(visitor: Visitor, roles: Sequence[Role]) -> None:
    """Refuse who may not see a page, by role.

    Raises:
        ForbiddenError: they may not.
    """
    if visitor.role not in roles:
        raise ForbiddenError(
            f"{visitor.login} is {visitor.role}: that role does not see this page.",
            advice=f"It is for {', '.join(roles)}.",
        )
