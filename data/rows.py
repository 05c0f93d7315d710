"""A numbered row of a file, and what every file's header must keep to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.errors import SwitchboardError
from data.encodings import MAX_LINE_CHARACTERS


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: its 1-based number (line for text files) and either its fields or what is wrong with it."""

    number: int
    fields: dict[str, Any]
    error: str = ""


def check_header(path: Path, header: list[str], text_column: str) -> None:
    """Refuse a header that names a column twice or has no text."""
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise SwitchboardError(f"{path}: column {twice[0]!r} stands twice in the header; rename or remove one")
    if text_column not in header:
        raise SwitchboardError(f"{path}: no {text_column!r} column; found {', '.join(header) or 'nothing'}")


def too_long() -> str:
    """Return what is said of a line beyond the limit."""
    return f"line is longer than {MAX_LINE_CHARACTERS} characters; is a line break or a quote missing?"
