"""From a caller's fields to a message and its facts, strictly typed; files and the API read messages alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.messages import Message
from data.parsing import BadRow, check_text, to_message
from serving.facts import CallerFacts

MAX_FIELD_CHARACTERS = 512
MAX_REACH = 10**12
_SHORT = ("id", "channel", "thread_id", "parent_id", "customer_id", "source", "customer_tier", "sentiment")
_MAY_BE_NUMBER = {"id", "thread_id", "parent_id", "customer_id"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message with what the caller says of it."""

    message: Message
    facts: CallerFacts


def read_incoming(fields: Mapping[str, Any]) -> Incoming:
    """Return the message and facts in `fields`, or raise with the field that is wrong; unknown fields are left aside."""
    for name in _SHORT:
        if name in fields:
            _check_short(name, fields[name])
    author, reach, tier = _read_author(fields.get("author"))
    parent = fields.get("parent_text")
    texts = {
        "text": _storable(check_text(fields.get("text"))),
        "parent_text": _storable(check_text(parent)) if parent else None,
    }
    message = to_message({**fields, **texts, "author": author})
    reach = reach if reach is not None else _read_reach(fields.get("reach"))
    return Incoming(
        message, CallerFacts(reach, tier or str(fields.get("customer_tier") or ""), str(fields.get("sentiment") or ""))
    )


def _read_author(author: Any) -> tuple[str | None, int | None, str]:
    """Return an author's id, reach and customer tier from a name or an object with `id`, `reach`, `customer_tier`."""
    if author is None or isinstance(author, str):
        _check_short("author", author)
        return author, None, ""
    if not isinstance(author, Mapping):
        raise BadRow(f"'author' must be a string or an object, found {type(author).__name__}")
    for name in ("id", "customer_tier"):
        _check_short(f"author.{name}", author.get(name))
    return author.get("id"), _read_reach(author.get("reach")), author.get("customer_tier") or ""


def _read_reach(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:13])
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_REACH):
        return value
    raise BadRow("'reach' must be a whole number from 0: how many people the author reaches")


def _check_short(name: str, value: Any) -> None:
    if value is None or (name in _MAY_BE_NUMBER and type(value) is int):
        return
    if not isinstance(value, str):
        raise BadRow(f"{name!r} must be a string, found {type(value).__name__}")
    if _storable(value) != value:
        raise BadRow(f"{name!r} holds a NUL or half a surrogate pair")
    if len(value) > MAX_FIELD_CHARACTERS:
        raise BadRow(f"{name!r} has {len(value)} characters, the limit is {MAX_FIELD_CHARACTERS}")


def _storable(text: str) -> str:
    """Return text that every encoder and database takes: no NUL, no half of a surrogate pair."""
    if text.isascii():
        return text.replace("\0", " ")
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
