"""Erasing a person's words everywhere this project keeps them, and saying what others still keep.

Tombstones come first, so nothing comes back meanwhile; then every store, those on this machine and those the caller
brings, because `data` knows no server; the ledger last, because it alone knows whose message has which id. Where a
store failed, the ledger's texts go too, but ids and authors stay until the same command, run again, reaches it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from configs.errors import SwitchboardError
from data.erasure import Erasure, Store
from data.ledger import Ledger
from data.ledger.tombstones import AUTHOR, MESSAGE
from data.local_stores import local_stores, other_files
from data.neighbours import bands_of, essence, pieces


@dataclass
class Forgotten:
    """What was erased where, and what is kept where nobody here can erase it."""

    messages: int = 0
    stores: dict[str, int] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the report for machines."""
        return asdict(self)


def forget_author(ledger: Ledger, author: str, stores: Sequence[Store] = ()) -> Forgotten:
    """Erase every message by an author and refuse new ones for ever."""
    if not author:
        raise SwitchboardError("an author to forget must have a name")
    messages = tuple(stored.message for stored in ledger.messages.all(author=author))
    erasure = Erasure(messages, frozenset(message.id for message in messages), author)
    return _forget(ledger, erasure, stores)


def forget_message(ledger: Ledger, message_id: str, stores: Sequence[Store] = ()) -> Forgotten:
    """Erase a message and refuse its return; one that is not in the ledger is looked for in the stores all the same."""
    stored = ledger.messages.get([message_id])
    said = stored or ledger.events.of([message_id]) or ledger.decisions.of([message_id])
    if not said and not ledger.tombstones.among(MESSAGE, [message_id]):
        raise SwitchboardError(f"no message has the id {message_id!r}")
    return _forget(ledger, Erasure(tuple(one.message for one in stored.values()), frozenset({message_id})), stores)


def _forget(ledger: Ledger, erasure: Erasure, stores: Sequence[Store]) -> Forgotten:
    report = Forgotten()
    erasure = replace(erasure, answers=frozenset(ledger.messages.answers(erasure.ids)))
    with ledger.writing():
        ledger.tombstones.add(AUTHOR, [erasure.author] if erasure.author else [])
        ledger.tombstones.add(MESSAGE, erasure.ids)
    for store in (*local_stores(), *stores, other_files(ledger.database.file)):
        _erase(store, erasure, report)
    with ledger.database.writing_alone():
        heirs = ledger.sides.heirs(erasure.ids)
        report.messages = ledger.messages.erase(erasure.ids, keep_keys=bool(report.failed))
        found = ledger.messages.get(heirs)
        ledger.sides.band({key: bands_of(pieces(essence(one.message.text))) for key, one in found.items()})
    report.kept += ledger.database.purge()
    return report


def _erase(store: Store, erasure: Erasure, report: Forgotten) -> None:
    try:
        erased, kept = store.erase(erasure)
    except Exception as error:  # whatever a library raises over a damaged file, the ledger's texts must go all the same
        known = isinstance(error, (SwitchboardError, OSError))
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        report.failed.append(f"{store.name}: {reason}; run the same command again")
        return
    report.stores[store.name] = erased
    report.kept += _new(kept, report.kept)


def _new(lines: Iterable[str], known: Sequence[str]) -> list[str]:
    return [line for line in lines if line not in known]
