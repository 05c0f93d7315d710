"""Batch classification: a file of messages in, one JSON line out for each, in order and in bounded memory."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from configs.errors import SwitchboardError
from data.parsing import BadRow
from data.readers import Row, check_readable, read_rows
from serving.decisions import Decider
from serving.incoming import Incoming, name_of, read_incoming

CHUNK = 512  # rows held at once; long enough to sort by length, short enough to show progress


@dataclass
class Tally:
    """What became of a file's rows."""

    rows: int = 0
    errors: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    first_error: str = ""


def classify_file(
    source: Path, decider: Decider, write: Callable[[bytes], Any], on_rows: Callable[[int], None] = lambda rows: None
) -> Tally:
    """Classify every row of a file; a bad row gets an `error` and never stops the rest."""
    tally = Tally()
    rows = read_rows(source)
    while chunk := list(islice(rows, CHUNK)):
        if tally.rows == 0:
            _check_texts(source, chunk)
        for line in classify_rows(chunk, decider):
            _count(tally, line)
            write(orjson.dumps(line) + b"\n")
        on_rows(len(chunk))
    if tally.rows == 0:
        raise SwitchboardError(f"{source}: no messages in it")
    return tally


def classify_rows(rows: Sequence[Row], decider: Decider) -> Iterator[dict[str, Any]]:
    """Yield one output line a row, in order."""
    read = [_read(row) for row in rows]
    good = [one for one in read if isinstance(one, Incoming)]
    decisions = iter(decider.decide([one.message for one in good], [one.facts for one in good]))
    for one in read:
        yield next(decisions).as_row() if isinstance(one, Incoming) else one


@contextmanager
def atomic_output(target: Path) -> Iterator[BinaryIO]:
    """Yield a file that takes the target's name only when all is written; on any failure nothing is left behind."""
    if target.is_dir():
        raise SwitchboardError(f"{target}: is a folder; name a file")
    if not target.parent.is_dir():
        raise SwitchboardError(f"{target.parent}: no such folder; make it first")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise SwitchboardError(f"{target}: cannot be written: {error.strerror}") from None
    waiting = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        waiting.chmod(0o666 & ~_umask())
        waiting.replace(target)
    except OSError as error:
        raise SwitchboardError(f"{target}: cannot be written: {error.strerror or error}") from None
    finally:
        waiting.unlink(missing_ok=True)


def count_rows(source: Path) -> int:
    """Return how many rows a readable file has, about: blank lines and line breaks in CSV cells count too."""
    if check_readable(source) == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.read_metadata(source).num_rows
        except pa.ArrowInvalid as error:
            raise SwitchboardError(f"{source}: not a Parquet file: {error}") from None
    with source.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _read(row: Row) -> Incoming | dict[str, Any]:
    if row.error:
        return {"line": row.number, "error": row.error}
    try:
        return read_incoming(row.fields)
    except BadRow as error:
        given = name_of(row.fields)
        named = {} if given is None else {"id": given}
        return {"line": row.number, **named, "error": str(error)}


def _check_texts(source: Path, rows: Sequence[Row]) -> None:
    parsed = [row for row in rows if not row.error]
    if parsed and not any("text" in row.fields for row in parsed):
        raise SwitchboardError(
            f"{source}: no 'text' column; found {', '.join(list(parsed[0].fields)[:12]) or 'nothing'}"
        )


def _count(tally: Tally, line: dict[str, Any]) -> None:
    tally.rows += 1
    if "error" in line:
        tally.errors += 1
        tally.first_error = tally.first_error or f"line {line['line']}: {line['error']}"
    else:
        tally.labels[line["label"]] += 1
        tally.outcomes[line["decision"]] += 1


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
