"""What an error that is not ours means to whoever called: a sentence and what to do.

Three drivers speak with the database (SQLAlchemy, psycopg, ADBC); what they say is told apart by the name and the
SQLSTATE that all of them give, so that none has to be imported for it.
"""

from maatpak.kernel.errors import MaatpakError, TransientError, UsageError, WorkspaceError

COLLISION = "40"
"""Class of SQLSTATE of a transaction that the database undid for the sake of another."""
AWAY = ("08", "53", "57", "58")
"""Classes of SQLSTATE of a server that is gone, full, shut down or ill."""
BEYOND = "22"
"""Class of SQLSTATE of a value that no column of its kind can hold."""


def translated(error: Exception) -> MaatpakError:
    """Any error as one of ours."""
    if isinstance(error, MaatpakError):
        return error
    if isinstance(error, OSError) and error.filename:
        told = f"{error.filename}: {error.strerror or type(error).__name__}."
        return UsageError(told, advice="Give a path that is there and that you may use.")
    return of_the_database(error) or MaatpakError(
        f"Maatpak failed where it should not: {type(error).__name__}: {_first_line(error)}",
        advice="Nothing of this step was kept. Run it again with --debug before the command, and report what it shows.",
    )


def of_the_database(error: Exception) -> MaatpakError | None:
    """An error of a driver that speaks of the call or of the database's state; None of any other."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None) or ""
    if state.startswith(BEYOND):
        return UsageError(
            f"The database cannot hold what was given: {_first_line(cause)}.", advice="Correct the number or text."
        )
    if state.startswith(COLLISION):
        return TransientError(
            f"The database undid this, for somebody else's work came in between: {_first_line(cause)}",
            advice="Nothing of this step was kept. Run it again.",
        )
    away = not state or state.startswith(AWAY)
    if away and any(each.__name__ == "OperationalError" for each in type(cause).__mro__):
        return WorkspaceError(
            f"The database does not answer: {_first_line(cause)}", advice="`maatpak doctor` looks into it."
        )
    return None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
