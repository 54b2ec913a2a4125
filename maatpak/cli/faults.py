"""What an error that is not ours means to whoever called: a sentence and what to do.

Three drivers speak with the database (SQLAlchemy, psycopg, ADBC); what they say is told apart by the name and the
SQLSTATE that all of them give, so that none has to be imported for it.
"""

from maatpak.kernel.errors import MaatpakError, TransientError, WorkspaceError

COLLISION = "40"
"""Class of SQLSTATE of a transaction that the database undid for the sake of another."""


def translated(error: Exception) -> MaatpakError:
    """Any error as one of ours."""
    if isinstance(error, MaatpakError):
        return error
    return of_the_database(error) or MaatpakError(
        f"Maatpak failed where it should not: {type(error).__name__}: {_first_line(error)}",
        advice="Nothing of this step was kept. Run it again with --debug before the command, and report what it shows.",
    )


def of_the_database(error: Exception) -> MaatpakError | None:
    """An error of a driver that says that the database is away or was busy; None of any other."""
    cause = getattr(error, "orig", None) or error
    if (getattr(cause, "sqlstate", None) or "").startswith(COLLISION):
        return TransientError(
            f"The database undid this, for somebody else's work came in between: {_first_line(cause)}",
            advice="Nothing of this step was kept. Run it again.",
        )
    if any(each.__name__ == "OperationalError" for each in type(cause).__mro__):
        return WorkspaceError(
            f"The database does not answer: {_first_line(cause)}", advice="`maatpak doctor` looks into it."
        )
    return None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
