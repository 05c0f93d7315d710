"""From a row's fields to a message or a labelled message, or one clear reason why not."""

from collections.abc import Iterable, Mapping
from datetime import MAXYEAR, MINYEAR, datetime
from difflib import get_close_matches
from typing import Any

from configs.errors import SwitchboardError
from configs.taxonomy import Taxonomy
from data.clean import COMPANY, COMPETITOR, clean
from data.messages import LabelledMessage, Message, message_id
from data.readers import Row

MAX_TEXT_CHARACTERS = 20_000
_OPTIONAL = ("channel", "author", "thread_id", "parent_id", "parent_text", "customer_id", "source")


class BadRow(SwitchboardError):
    """What is wrong with one row; its neighbours are not affected."""


def to_message(fields: Mapping[str, Any], cleaned: str | None = None) -> Message:
    """Return the message that the fields describe; unknown fields are left aside.

    `cleaned`, the text as cleaned for a company, saves cleaning it again for the id of a message that has none.
    """
    text = check_text(fields.get("text"))
    given = fields.get("id")
    known = {**fields, "author": _author_id(fields.get("author"))}
    optional = {name: str(known[name]) for name in _OPTIONAL if known.get(name) is not None}
    return Message(text, _check_id(given) if given not in (None, "") else message_id(_without_company(text, cleaned)),
                   time=_to_time(fields.get("time")), **optional)  # fmt: skip


def to_labelled(row: Row, taxonomy: Taxonomy) -> LabelledMessage:
    """Return the labelled message of a row; a label outside the taxonomy is refused by name."""
    if row.error:
        raise BadRow(row.error)
    label = _check_label(row.fields.get("label"), taxonomy)
    second = row.fields.get("second") or ()
    names = [name.strip() for name in second.split(",")] if isinstance(second, str) else second
    if not isinstance(names, (list, tuple)):
        raise BadRow(f"'second' must be labels, as a list or with commas between, found {type(second).__name__}")
    defensible = tuple(_check_label(name, taxonomy) for name in names)
    return LabelledMessage(to_message(row.fields), label, tuple(name for name in defensible if name != label))


def read_labelled(path_name: str, rows: Iterable[Row], taxonomy: Taxonomy) -> list[LabelledMessage]:
    """Return every row of a labelled file, or refuse the file by its first bad line."""
    labelled = []
    for row in rows:
        try:
            labelled.append(to_labelled(row, taxonomy))
        except BadRow as error:
            raise SwitchboardError(f"{path_name}, line {row.number}: {error}") from None
    if not labelled:
        raise SwitchboardError(f"{path_name}: no labelled messages in it")
    return labelled


def _without_company(text: str, cleaned: str | None) -> str:
    """Return the text cleaned for no company: an id must not change when a company's names do."""
    return clean(text) if cleaned is None or COMPANY in cleaned or COMPETITOR in cleaned else cleaned


def _author_id(author: Any) -> Any:
    """Return the id of an author who is given as an object, as the API takes one."""
    return author.get("id") if isinstance(author, Mapping) else author


def check_text(text: Any, name: str = "text") -> str:
    """Return `text` if it is a usable text, else raise with the reason and the field's name."""
    if text is None:
        raise BadRow(f"no {name!r}")
    if not isinstance(text, str):
        raise BadRow(f"{name!r} must be a string, found {type(text).__name__}")
    if not text.strip():
        raise BadRow(f"{name!r} is empty")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise BadRow(f"{name!r} has {len(text)} characters, the limit is {MAX_TEXT_CHARACTERS}")
    return text


def _check_id(given: Any) -> str:
    name = str(given)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise BadRow(f"'id' is {name[:80]!a}, which holds half a surrogate pair; write it as UTF-8") from None
    return name


def _check_label(label: Any, taxonomy: Taxonomy) -> str:
    if label in taxonomy.annotation_values:
        return str(label)
    if label is None or label == "":
        raise BadRow("no 'label'")
    near = get_close_matches(str(label).strip().lower(), taxonomy.annotation_values, n=1, cutoff=0.8)
    hint = f"did you mean {near[0]!r}? Labels are" if near else "labels are"
    raise BadRow(f"unknown label {label!r}; {hint} {', '.join(taxonomy.annotation_values)}")


def _to_time(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        if not isinstance(value, datetime | str) or (isinstance(value, str) and value.isdigit() and len(value) > 8):
            raise ValueError  # seconds or milliseconds since 1970, which now and then read as a date of long ago
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except ValueError:
        raise BadRow(f"'time' is {value!r}; write ISO 8601, e.g. 2026-11-21T09:30:00+00:00") from None
    if not MINYEAR < found.year < MAXYEAR:  # at the ends neither zones nor due times can be reckoned
        raise BadRow(f"'time' is {str(value)!r}; its year must lie between {MINYEAR + 1} and {MAXYEAR - 1}")
    return found
