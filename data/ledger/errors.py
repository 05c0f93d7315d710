"""What a database says when something is wrong, in one line with a remedy."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from configs.errors import SwitchboardError

# What the drivers say (in lower case) against what a person can do about it.
_REMEDIES = (
    ("is locked", "another process holds it; wait for that to finish, or use PostgreSQL for many writers"),
    ("disk is full", "its disk is full; free some space and run this again, nothing was half written"),
    ("no space left", "its disk is full; free some space and run this again, nothing was half written"),
    ("not a database", "the file is not an SQLite database; move it away or name another"),
    ("malformed", "the file is damaged; restore it from a backup"),
    ("readonly", "it is read-only for this user; change the file's and its folder's permissions"),
    ("unable to open", "it cannot be opened; does its folder exist, and may this user write there?"),
    ("password", "the server refused the user or the password; correct the address"),
    ("does not exist", "it does not exist on the server; create it with createdb, or correct the address"),
    ("refused", "no server answers there; start it, or correct the address"),
    ("timeout", "the server did not answer in time"),
    ("timed out", "the server stopped answering"),
    ("could not translate host", "the server's name is unknown; correct the address"),
    ("failed to resolve host", "the server's name is unknown; correct the address"),
)


class LedgerError(SwitchboardError):
    """The ledger's database cannot be used just now, or not by this version."""


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn what a driver raises into one `LedgerError` that names the database (never its password) and a remedy."""
    try:
        yield
    except IntegrityError:
        raise
    except PoolTimeoutError:
        raise LedgerError(f"the ledger {address(url)}: all of this process's connections are busy; try again") from None
    except DBAPIError as error:
        raise LedgerError(f"the ledger {address(url)}: {_remedy(str(error.orig))}") from error


def address(url: URL) -> str:
    """Return the database's address as it may be shown."""
    return url.render_as_string(hide_password=True)


def _remedy(said: str) -> str:
    lowered = said.lower()
    first_line = lowered.strip().splitlines()[0] if lowered.strip() else "no reason given"
    return next((f"{remedy} ({first_line})" for sign, remedy in _REMEDIES if sign in lowered), first_line)
