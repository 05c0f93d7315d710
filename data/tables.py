"""Reading CSV as numbered rows: the delimiter is found, and a broken row never hides its neighbours."""

import csv
from collections.abc import Iterator
from pathlib import Path

from data.encodings import MAX_LINE_CHARACTERS, TOO_LONG, bounded_lines, has_foreign_bytes, open_text
from data.rows import Row, check_header, too_long

DELIMITERS = (",", "\t", ";", "|")


def read_csv(path: Path, encoding: str, text_column: str) -> Iterator[Row]:
    """Yield the rows under the header, each with the number of the line where it starts."""
    csv.field_size_limit(MAX_LINE_CHARACTERS)
    with open_text(path, encoding) as file:
        first = next(bounded_lines(file), "")
        delimiter = detect_delimiter(first)
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        check_header(path, header, text_column)
        # Strict, because a quote that is never closed would otherwise swallow the rest of the file in silence.
        reader = csv.reader(bounded_lines(file), delimiter=delimiter, strict=True)
        while True:
            number = reader.line_num + 2
            try:
                values = next(reader, None)
            except csv.Error as error:
                yield Row(number, {}, _explain(error, number, reader.line_num + 1))
                continue
            if values is None:
                return
            if values:
                yield _to_row(number, header, values, encoding)


def detect_delimiter(header: str) -> str:
    """Return the delimiter that splits a header line into most names, a comma in doubt."""
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), [])))


def _to_row(number: int, header: list[str], values: list[str], encoding: str) -> Row:
    if any(TOO_LONG in value for value in values):
        return Row(number, {}, too_long())
    if any(map(has_foreign_bytes, values)):
        return Row(number, {}, f"has bytes that are not {encoding}; save the file as UTF-8")
    if len(values) != len(header):
        return Row(number, {}, f"{len(values)} values for {len(header)} columns")
    return Row(number, {name: value for name, value in zip(header, values, strict=True) if value != ""})


def _explain(error: csv.Error, first: int, last: int) -> str:
    if "unexpected end" in str(error):
        return "not valid CSV: a quote opened here is never closed, or the file was cut off"
    lines = f" (lines {first} to {last}; is a quote not closed?)" if last > first else ""
    return f"not valid CSV: {error}{lines}"
