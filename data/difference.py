"""What changed from one snapshot to another."""

from dataclasses import dataclass

from data.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids that came, that went, and whose label changed (id -> before, now)."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    relabelled: dict[str, tuple[str, str]]


def compare(before: Snapshot, now: Snapshot) -> Difference:
    """Return the difference between two snapshots; only ids and labels are held in memory."""
    old = {row.message.id: row.label for row in before.rows()}
    new = {row.message.id: row.label for row in now.rows()}
    changed = {key: (old[key], new[key]) for key in sorted(old.keys() & new.keys()) if old[key] != new[key]}
    return Difference(tuple(sorted(new.keys() - old.keys())), tuple(sorted(old.keys() - new.keys())), changed)
