"""The seed corpus that the project ships: messages written by us, with what each was written to show."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.messages import LabelledMessage, Message

CORPUS = Path(__file__).resolve().parent / "corpus"
SEED_SOURCE = "seed"


@dataclass(frozen=True, slots=True)
class SeedRow:
    """One line of the corpus: a labelled message and the facts the datasheet counts."""

    id: str
    text: str
    label: str
    second: tuple[str, ...]
    industry: str
    channel: str
    voice: str
    rule: str
    writer: str

    def labelled(self) -> LabelledMessage:
        """Return the row as a labelled message whose source says that it is seed."""
        return LabelledMessage(Message(self.text, self.id, self.channel, source=SEED_SOURCE), self.label, self.second)


def read_corpus(folder: Path = CORPUS) -> Iterator[SeedRow]:
    """Yield the rows of every file of the corpus, in the order of the files' names."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            fields = json.loads(line)
            yield SeedRow(**{**fields, "second": tuple(fields["second"])})
