"""From a caller's fields to a message and its facts, strictly typed; files and the API read messages alike."""

from collections.abc import Callable, Mapping
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
    """One message with what the caller says of it, and its text as the model reads it, where that was asked for."""

    message: Message
    facts: CallerFacts
    cleaned: str = ""


def read_incoming(fields: Mapping[str, Any], clean: Callable[[str], str] | None = None) -> Incoming:
    """Return the message and facts in `fields`, or raise with the field that is wrong; unknown fields are left aside.

    With `clean`, the text is cleaned by it, once.
    """
    for name in _SHORT:
        if name in fields:
            _check_short(name, fields[name])
    author, reach, tier = _read_author(fields.get("author"))
    parent = fields.get("parent_text")
    texts = {
        "text": _storable(check_text(fields.get("text"))),
        "parent_text": _parent_text(parent),
    }
    cleaned = clean(str(texts["text"])) if clean else None
    message = to_message({**fields, **texts, "author": author}, cleaned)
    reach = reach if reach is not None else _read_reach(fields.get("reach"))
    tier = tier or str(fields.get("customer_tier") or "")
    return Incoming(message, CallerFacts(reach, tier, str(fields.get("sentiment") or "")), cleaned or "")


def name_of(fields: Mapping[str, Any]) -> str | None:
    """Return the id that a bad message gave, fit for an answer; None where it gave none."""
    given = fields.get("id")
    return _storable(str(given)[:MAX_FIELD_CHARACTERS]) if type(given) in (str, int) else None


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


def _parent_text(value: Any) -> str | None:
    """Return what the message answers to; a blank one, as of a picture, says nothing."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return _storable(check_text(value, "parent_text"))


def _read_reach(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(MAX_REACH)):
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_REACH):
        return value
    raise BadRow(
        f"'reach' is {str(value)[:40]!r}, must be a whole number from 0 to {MAX_REACH}: how many people the author reaches"
    )


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
