"""Reading JSONL, CSV and Parquet as a stream of numbered rows; a bad row is an error of its own, never an end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from configs.errors import SwitchboardError
from data.encodings import TOO_LONG, bounded_lines, detect_encoding, has_foreign_bytes, open_text
from data.rows import Row, check_header, too_long
from data.tables import read_csv

__all__ = ["FORMATS", "Row", "check_readable", "read_rows"]

FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}


def read_rows(path: Path, *, encoding: str = "", text_column: str = "text") -> Iterator[Row]:
    """Yield the rows of a file in order, holding a bounded part of it in memory; the encoding is found if not given."""
    kind = check_readable(path)
    if kind == "parquet":
        return _read_parquet(path, text_column)
    encoding = encoding or detect_encoding(path)
    return read_csv(path, encoding, text_column) if kind == "csv" else _read_jsonl(path, encoding)


def check_readable(path: Path) -> str:
    """Return the format of a file that can be read, or say in one line why it cannot."""
    kind = FORMATS.get(path.suffix.lower())
    if not path.exists():
        raise SwitchboardError(f"{path}: no such file")
    if path.is_dir():
        raise SwitchboardError(f"{path}: is a folder; name a file in it")
    if kind is None:
        raise SwitchboardError(f"{path}: unknown file type {path.suffix!r}; use one of {', '.join(FORMATS)}")
    if path.stat().st_size == 0:
        raise SwitchboardError(f"{path}: the file is empty")
    return kind


def _read_jsonl(path: Path, encoding: str) -> Iterator[Row]:
    with open_text(path, encoding) as file:
        for number, line in enumerate(bounded_lines(file), start=1):
            if line.strip():
                yield _parse_line(number, line, encoding)


def _parse_line(number: int, line: str, encoding: str) -> Row:
    if line.startswith(TOO_LONG):
        return Row(number, {}, too_long())
    if has_foreign_bytes(line):
        return Row(number, {}, f"has bytes that are not {encoding}; save the file as UTF-8")
    try:
        fields = _DECODER.decode(line)
    except _TwiceError as error:
        return Row(number, {}, f"key {error.args[0]!r} stands twice; remove one")
    except (json.JSONDecodeError, RecursionError) as error:
        cut = "" if line.endswith(("\n", "\r")) else "; the file seems to be cut off here"
        return Row(number, {}, f"not valid JSON: {error}{cut}")
    if not isinstance(fields, dict):
        return Row(number, {}, f"expected a JSON object, found {type(fields).__name__}")
    return Row(number, fields)


class _TwiceError(Exception):
    """A key that an object has twice."""


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return fields


_DECODER = json.JSONDecoder(object_pairs_hook=_without_twins)


def _read_parquet(path: Path, text_column: str) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        file = pq.ParquetFile(path)
        check_header(path, file.schema_arrow.names, text_column)
        for batch in file.iter_batches(batch_size=1024):
            for fields in batch.to_pylist():
                number += 1
                yield Row(number, {name: value for name, value in fields.items() if value is not None})
    except (pa.ArrowException, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise SwitchboardError(f"{path}: damaged or not a Parquet file, after {number} rows: {reason}") from None
