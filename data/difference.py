"""What changed from one snapshot to another."""

from dataclasses import dataclass

from data.snapshot import Snapshot, digest

_DIGEST = 8  # bytes of a row's digest that tell whether anything of it changed


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids that came, that went, whose label changed (id -> before, now), and where anything else did (`changed`)."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    relabelled: dict[str, tuple[str, str]]
    changed: tuple[str, ...]


def compare(before: Snapshot, now: Snapshot) -> Difference:
    """Return the difference between two snapshots; only ids, labels and short digests are held in memory."""
    old, new = _held(before), _held(now)
    other = [key for key in sorted(old.keys() & new.keys()) if old[key] != new[key]]
    relabelled = {key: (old[key][0], new[key][0]) for key in other if old[key][0] != new[key][0]}
    changed = tuple(key for key in other if key not in relabelled)
    return Difference(
        tuple(sorted(new.keys() - old.keys())), tuple(sorted(old.keys() - new.keys())), relabelled, changed
    )


def _held(snapshot: Snapshot) -> dict[str, tuple[str, bytes]]:
    return {row.message.id: (row.label, digest(row)[:_DIGEST]) for row in snapshot.rows()}
