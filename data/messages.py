"""What a person wrote, and what somebody said it is."""

import hashlib
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Message:
    """A text with its origin; `text` is as the person wrote it, `id` is given or `message_id(text)`."""

    text: str
    id: str
    channel: str = ""
    author: str = ""
    time: datetime | None = None
    thread_id: str = ""
    parent_id: str = ""
    parent_text: str = ""
    customer_id: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class LabelledMessage:
    """A message with its resolved label (one of the eight or `none`) and other defensible labels."""

    message: Message
    label: str
    second: tuple[str, ...] = ()


def message_id(cleaned: str) -> str:
    """Return the id of a message that came without one: a hash of its cleaned text."""
    return "m-" + hashlib.sha256(cleaned.encode("utf-8")).hexdigest()[:16]
