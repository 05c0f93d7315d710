"""What an import did, or would do."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

_SHOWN = 20  # bad rows named in a report


@dataclass
class ImportReport:
    """Counts of rows, messages and labels; `known_messages` were there before, `forgotten` were refused."""

    place: str
    rows: int = 0
    left_out: int = 0
    new_messages: int = 0
    known_messages: int = 0
    forgotten: int = 0
    new_labels: int = 0
    unlabelled: int = 0
    bad: int = 0
    errors: list[str] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)

    def add_bad(self, number: int, reason: str) -> None:
        """Count a bad row and keep the first few reasons."""
        self.bad += 1
        if len(self.errors) < _SHOWN:
            self.errors.append(f"{self.place}, line {number}: {reason}")

    def as_dict(self) -> dict[str, Any]:
        """Return the report for machines."""
        return asdict(self) | {"labels": dict(self.labels)}
