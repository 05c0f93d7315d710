"""What is to be erased, and a place that may hold it."""

import html
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from data.clean import clean
from data.messages import Message

_TELLING = 16  # characters from which a text names its message; shorter ones ("thanks!") are everybody's


@dataclass(frozen=True, slots=True)
class Erasure:
    """The messages to erase; `author` where all of a person's are meant; `answers`: ids of those that may quote them."""

    messages: tuple[Message, ...]
    ids: frozenset[str]
    author: str = ""
    answers: frozenset[str] = frozenset()

    def traces(self) -> tuple[bytes, ...]:
        """Return the forms in which a file may hold the texts or the ids: as they are, in JSON, in HTML, cleaned."""
        names = {*self.ids, self.author, *(form for one in self.messages for form in (one.text, clean(one.text)))}
        telling = sorted(
            name for name in names if len(name) >= _TELLING or (name in self.ids and len(name) >= _TELLING // 2)
        )
        forms = {form for name in telling for form in (name, json.dumps(name)[1:-1], html.escape(name))}
        return tuple(sorted(form.encode("utf-8", "replace") for form in forms))

    def concerns(self, value: object) -> bool:
        """Return whether a line's fields, however deep, name one of the messages or the author."""
        if isinstance(value, dict):
            return any(self._names(name, item) or self.concerns(item) for name, item in value.items())
        return isinstance(value, list) and any(map(self.concerns, value))

    def without_quotes(self, value: object) -> object:
        """Return a line's fields with the text of an erased message taken out of the answers to it."""
        if isinstance(value, list):
            return [self.without_quotes(item) for item in value]
        if not isinstance(value, dict):
            return value
        cleared = {name: self.without_quotes(item) for name, item in value.items()}
        return (
            cleared | {"parent_text": ""}
            if "parent_text" in value and _is_among(value.get("parent_id"), self.ids)
            else cleared
        )

    def without_person(self, record: dict[str, object]) -> dict[str, object]:
        """Return a spilled record as the ledger keeps one that is forgotten: keys, decision and label, no words nor who."""
        message = record.get("message")
        fields = message.items() if isinstance(message, dict) else ()
        left = {"message": {name: item if name == "id" else "" for name, item in fields}, "note": ""}
        return {name: left.get(name, item) for name, item in record.items()}

    def _names(self, name: str, item: object) -> bool:
        if name in ("id", "message_id"):
            return _is_among(item, self.ids)
        named = item.get("id") if isinstance(item, dict) else item  # the API takes an author as a name or an object
        return name == "author" and bool(self.author) and named == self.author


def _is_among(item: object, ids: frozenset[str]) -> bool:
    """Return whether a value of a line is one of the ids, which callers may write as numbers."""
    return isinstance(item, (str, int)) and str(item) in ids


@dataclass(frozen=True, slots=True)
class Store:
    """A place that may hold texts; `erase` returns how many entries it erased and what it had to keep, in words."""

    name: str
    erase: Callable[[Erasure], tuple[int, Sequence[str]]]
