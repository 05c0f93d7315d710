"""What a system is given: a job and its rows. Imports the standard library only."""

from collections.abc import Callable
from dataclasses import dataclass

Predict = Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class Job:
    """One cell: a system, how many labels a class (`all` or a number), a seed, and the files it may use."""

    system: str
    size: str
    seed: int
    labels: tuple[str, ...]
    archive: str = ""
    teacher: str = ""


@dataclass(frozen=True)
class Rows:
    """Labelled rows as dictionaries with `text` (cleaned), `raw` (as written), `label` and `second`."""

    rows: list[dict]

    def texts_and_labels(self) -> tuple[list[str], list[str]]:
        """Return the texts and labels of rows that have one of the labels; peers have no use for `none`."""
        inside = [row for row in self.rows if row["label"] != "none"]
        return [row["text"] for row in inside], [row["label"] for row in inside]
