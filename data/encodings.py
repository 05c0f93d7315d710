"""Opening a text file in the encoding it is in, and reading its lines without ever holding a huge one."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from configs.errors import SwitchboardError

MAX_LINE_CHARACTERS = 1 << 20
TOO_LONG = "\0too long\0"  # what stands in place of a longer line; lines carry no other NUL

_CHUNK = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def detect_encoding(path: Path) -> str:
    """Return what a file is written in: by its byte-order mark, else UTF-8, else Windows-1252.

    A file that mixes UTF-8 with something else counts as UTF-8, and its other lines are bad rows.
    """
    with path.open("rb") as file:
        start = file.read(4)
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                return encoding
        if len(start) == 4 and start[1] == start[3] == 0 and start[0] and start[2]:
            return "utf-16-le"
        if len(start) == 4 and start[0] == start[2] == 0 and start[1] and start[3]:
            return "utf-16-be"
    return "utf-8" if _is_utf8(path) or _has_utf8_letters(path) else "cp1252"


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a file so that no byte makes reading fail; bytes outside the encoding come out as lone surrogates."""
    try:
        errors = "replace" if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")) else "surrogateescape"
        return path.open(encoding=encoding, errors=errors, newline="")
    except LookupError:  # unknown, or no encoding of text
        raise SwitchboardError(
            f"unknown encoding {encoding!r}; use utf-8, utf-16, cp1252 or another of Python's"
        ) from None


def bounded_lines(file: TextIO) -> Iterator[str]:
    """Yield each line without byte-order marks and NULs, or `TOO_LONG` in place of one beyond the limit."""
    while line := file.readline(MAX_LINE_CHARACTERS):
        if len(line) < MAX_LINE_CHARACTERS or line.endswith(("\n", "\r")):
            yield line.lstrip("\ufeff").replace("\0", "\ufffd")
            continue
        while (rest := file.readline(MAX_LINE_CHARACTERS)) and not rest.endswith(("\n", "\r")):
            pass
        yield TOO_LONG + "\n"


def has_foreign_bytes(text: str) -> bool:
    """Return whether `open_text` met bytes here that are not in the file's encoding."""
    return not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)  # a letter cut off at the very end is a half-written file, still UTF-8
    except UnicodeDecodeError:
        return False
    return True


def _has_utf8_letters(path: Path) -> bool:
    return any(_UTF8_LETTER.search(chunk) for chunk in _chunks(path))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
