"""Reading JSONL, CSV and Parquet as a stream of numbered rows; a bad row is an error of its own, never an end."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from configs.errors import SwitchboardError

MAX_LINE_BYTES = 1 << 20
FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: its 1-based number (line for text files) and either its fields or what is wrong with it."""

    number: int
    fields: dict[str, Any]
    error: str = ""


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file in order, holding a bounded part of it in memory."""
    kind = check_readable(path)
    reader = {"jsonl": _read_jsonl, "csv": _read_csv, "parquet": _read_parquet}[kind]
    return reader(path)


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


def _read_jsonl(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for number, line in enumerate(_bounded_lines(file), start=1):
            if line is None:
                yield Row(number, {}, f"line is longer than {MAX_LINE_BYTES} bytes")
            elif line.strip():
                yield _parse_line(number, line)


def _bounded_lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Yield each line, or None for one that is too long, never holding more than the bound."""
    while line := file.readline(MAX_LINE_BYTES):
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass
        yield None


def _parse_line(number: int, line: bytes) -> Row:
    try:
        fields = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return Row(number, {}, f"not UTF-8 at byte {error.start}; save the file as UTF-8")
    except (json.JSONDecodeError, RecursionError) as error:
        return Row(number, {}, f"not valid JSON: {error}")
    if not isinstance(fields, dict):
        return Row(number, {}, f"expected a JSON object, found {type(fields).__name__}")
    return Row(number, fields)


def _read_csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE_BYTES)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(_without_nul(file))
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header)
        while True:
            number = reader.line_num + 1
            try:
                values = next(reader, None)
            except csv.Error as error:
                yield Row(number, {}, f"not valid CSV: {error}")
                continue
            if values is None:
                return
            if values:
                yield _csv_row(number, header, values)


def _without_nul(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line.replace("\0", "\ufffd")


def _check_header(path: Path, header: list[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise SwitchboardError(f"{path}: column {twice[0]!r} stands twice in the header; rename or remove one")
    if "text" not in header:
        raise SwitchboardError(f"{path}: no 'text' column; found {', '.join(header) or 'nothing'}")


def _csv_row(number: int, header: list[str], values: list[str]) -> Row:
    if len(values) != len(header):
        return Row(number, {}, f"{len(values)} values for {len(header)} columns")
    if any("\udc80" <= c <= "\udcff" for value in values for c in value):
        return Row(number, {}, "not UTF-8; save the file as UTF-8")
    return Row(number, {name: value for name, value in zip(header, values, strict=True) if value != ""})


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise SwitchboardError(f"{path}: not a Parquet file: {error}") from None
    _check_header(path, file.schema_arrow.names)
    number = 0
    for batch in file.iter_batches(batch_size=1024):
        for fields in batch.to_pylist():
            number += 1
            yield Row(number, {name: value for name, value in fields.items() if value is not None})
