"""How a file's columns and label values read as ours, by YAML or by flags."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from configs.errors import SwitchboardError
from configs.loading import Config, load_config, parse_config
from data.corpus import SEED_SOURCE
from data.rows import Row

FIELDS = ("text", "label", "id", "second", "annotator", "channel", "author", "time", "thread_id", "parent_id",
          "parent_text", "customer_id", "source")  # fmt: skip
_PREFIXED = ("id", "parent_id", "thread_id")  # all three, or an answer would lose its parent


class ImportMapping(Config):
    """Columns (ours: theirs), label values (theirs: ours, or null: leave the row out) and what holds for all rows."""

    columns: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, str | None] = Field(default_factory=dict)
    source: str = ""
    annotator: str = ""
    id_prefix: str = ""
    encoding: str = ""

    def column(self, name: str) -> str:
        """Return the file's name for one of our columns."""
        return self.columns.get(name, name)

    def read(self, row: Row) -> Row | None:
        """Return the row in our words, or None where its label says to leave it out."""
        if row.error:
            return row
        columns, given = self.columns, row.fields
        fields: dict[str, Any] = {
            name: given[theirs] for name in FIELDS if (theirs := columns.get(name, name)) in given
        }
        label = fields.get("label")
        if label is not None and str(label) in self.labels:
            fields["label"] = self.labels[str(label)]
            if fields["label"] is None:
                return None
        if self.source:
            fields["source"] = self.source
        if self.annotator:
            fields["annotator"] = self.annotator
        for name in _PREFIXED:
            if fields.get(name) not in (None, ""):
                fields[name] = f"{self.id_prefix}{fields[name]}"
        return Row(row.number, fields)


def load_mapping(path: Path | None, columns: Sequence[str], labels: Sequence[str], **others: str) -> ImportMapping:
    """Return the mapping in a YAML file with `ours=theirs` columns, `theirs=ours` labels and other values put over it."""
    base = load_config(ImportMapping, path) if path else ImportMapping()
    values = base.model_dump()
    values["columns"] |= _pairs(columns, "--column text=body")
    values["labels"] |= {theirs: ours or None for theirs, ours in _pairs(labels, "--label complaint=abuse").items()}
    values |= {name: value for name, value in others.items() if value}
    mapping = parse_config(ImportMapping, values, source=str(path) if path else "the mapping")
    unknown = sorted(set(mapping.columns) - set(FIELDS))
    if unknown:
        raise SwitchboardError(f"unknown column {unknown[0]!r} in the mapping; ours are {', '.join(FIELDS)}")
    if SEED_SOURCE in (mapping.source, mapping.annotator):
        raise SwitchboardError(f"{SEED_SOURCE!r} names our own corpus; choose another source or annotator")
    return mapping


def _pairs(flags: Sequence[str], example: str) -> Mapping[str, str]:
    pairs = [flag.partition("=") for flag in flags]
    for flag, (name, separator, _) in zip(flags, pairs, strict=True):
        if not separator or not name:
            raise SwitchboardError(f"{flag!r} is no mapping; write it as {example}")
    return {name: value for name, _, value in pairs}
