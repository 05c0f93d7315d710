"""What a bundle learnt from or was calibrated on, as digests beside it, so that it is never judged on those texts."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from configs.errors import SwitchboardError
from data.messages import LabelledMessage
from data.neighbours import essence
from training.bundle import BundleError

SEEN = "seen.json"


def keep_seen(folder: Path, rows: Iterable[LabelledMessage], before: frozenset[str] = frozenset()) -> None:
    """Write the digests of the rows' texts beside a bundle, with those that its teacher saw `before`; no text is kept."""
    waiting = folder / f".{SEEN}.tmp"
    waiting.write_text(json.dumps(sorted({_digest(row) for row in rows} | before)), encoding="utf-8")
    waiting.replace(folder / SEEN)


def seen_by(folder: Path) -> frozenset[str]:
    """Return the digests beside a bundle; none where it was made before they were kept."""
    try:
        return frozenset(json.loads((folder / SEEN).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return frozenset()
    except (ValueError, TypeError):
        raise BundleError(f"{folder / SEEN}: damaged; what the bundle learnt from is not known any more") from None


def leave_out_seen(
    rows: Sequence[LabelledMessage], name: str, folders: Iterable[Path], say: Callable[[str], None]
) -> list[LabelledMessage]:
    """Return the rows whose texts none of the bundles saw, and say how many are left out; none left is refused."""
    seen = frozenset().union(*(seen_by(folder) for folder in folders))
    left = [row for row in rows if _digest(row) not in seen] if seen else list(rows)
    if not left:
        raise SwitchboardError(
            f"{name}: all {len(rows)} messages are ones that the models learnt from or were calibrated on; "
            "name others with --on, such as newer labels or a snapshot"
        )
    if len(left) < len(rows):
        say(f"left out {len(rows) - len(left)} of {len(rows)} messages: the models learnt from them or were calibrated")
    return left


def _digest(row: LabelledMessage) -> str:
    same = essence(row.message.text) or row.message.text.strip()
    return hashlib.blake2b(same.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
