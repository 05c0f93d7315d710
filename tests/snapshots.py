"""Ways in which a snapshot's folder is damaged, and what a killed writer leaves."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data.snapshot import MANIFEST, ROWS, snapshots_dir


def _cut_rows(folder: Path) -> None:
    (folder / ROWS).write_bytes((folder / ROWS).read_bytes()[:-100])


def _spoil_a_page(folder: Path) -> None:
    whole = (folder / ROWS).read_bytes()
    (folder / ROWS).write_bytes(whole[:4] + b"\xff" * 60 + whole[64:])


def _lose_a_column(folder: Path) -> None:
    pq.write_table(pq.read_table(folder / ROWS).drop_columns(["label"]), folder / ROWS)


def _change_a_label(folder: Path) -> None:
    table = pq.read_table(folder / ROWS)
    labels = table.column("label").to_pylist()
    changed = pa.array(["fraud" if labels[0] != "fraud" else "spam", *labels[1:]])
    pq.write_table(table.set_column(table.schema.get_field_index("label"), "label", changed), folder / ROWS)


def _change_the_fingerprint(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"fingerprint": "0" * 64}))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "rows missing": lambda folder: (folder / ROWS).unlink(),
    "rows cut": _cut_rows,
    "a page spoilt": _spoil_a_page,
    "a column lost": _lose_a_column,
    "a label changed": _change_a_label,
    "manifest missing": lambda folder: (folder / MANIFEST).unlink(),
    "manifest cut": lambda folder: (folder / MANIFEST).write_text("{half"),
    "another fingerprint": _change_the_fingerprint,
}


def leave_waiting(text: str, whole: bool = False) -> Path:
    """Leave the folder of a snapshot whose writer was killed, before or (`whole`) after it wrote the manifest."""
    folder = snapshots_dir() / ".waiting-killed"
    folder.mkdir(parents=True)
    (folder / ROWS).write_text(text)
    if whole:
        (folder / MANIFEST).write_text("{}")
    return folder
