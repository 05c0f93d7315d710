"""The one `clean` that training, batch classification and the service share: signal stays, identity goes.

A link stays a link, a mention a mention, shouting shouting and an emoji its name; who or what exactly was linked,
mentioned or numbered does not. The handles that a message opens with are its address, not its words, and go: people
write them on one channel and not on another. Knows nothing about models or tokenisation.
"""

import html
import re
import unicodedata
from collections.abc import Callable
from functools import cache

import emoji

from configs.company import Company

MAX_CHARACTERS = 4000  # more than any model here reads; bounds the time of every pattern below
_MAX_PASSES = 8  # no text is known that needs more than five

LINK, EMAIL, NUMBER, SHOUTING = "[link]", "[email]", "[number]", "[shouting]"
COMPANY, COMPETITOR, USER = "@company", "@competitor", "@user"

_NESTED_ESCAPES = re.compile(r"&(?:amp;)+")
_MASKS = re.compile(r"<(number|phone|email|url|link)>", re.I)
_TAGS = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]{0,500})?/?>", re.I)
_LINKS = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\.(?:com|co|net|org|io|info|ly|gl)/\S*", re.I
)
_EMAILS = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}\b")
_HANDLES = re.compile(r"(?<![\w@])@\w{1,50}|__(?:company|cust)__", re.I)
_NUMBERS = re.compile(r"(?<![\w#£$€₹.,])\+?\d(?:[\d\s().-]{4,20}\d)(?!\w)|\b(?=\w*\d{4})[A-Z]{0,4}\d[\dA-Z-]{4,24}\b")
_REPEATED_LETTERS = re.compile(r"([^\W\d_])\1{2,}")
_REPEATED_MARKS = re.compile(r"([!?.,*\-_=~#])\1{2,}")
_REPEATED_WORDS = re.compile(r"(\[[a-z][a-z -]*\])(?:\s*\1)+")
_MANY_MENTIONS = re.compile(r"((?:@user ){3})(?:@user )+")
_ADDRESS = re.compile(r"^(?:[.\s,:-]*(?:@user|@company)(?=[\s,.:-]|$))+[\s,.:-]*(?=\S)")
_OF_EMOJI = sorted({character for mark in emoji.EMOJI_DATA for character in mark if not character.isascii()})
_MAYBE_EMOJI = re.compile(f"[{''.join(_OF_EMOJI)}]")
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_CAMEL = re.compile(r"#\w{2,80}")
_CAMEL_EDGE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MARKERS = re.compile(r"\[[a-z][a-z -]*\]|@(?:company|competitor|user)\b")
_DIGIT = re.compile(r"\d")


def clean(text: str, company: Company | None = None) -> str:
    """Return `text` as the model reads it; cleaning twice changes nothing more, and any string is accepted."""
    # What one pass uncovers (an escaped tag, a handle behind a link) the next one sees; the second mostly confirms.
    for _ in range(_MAX_PASSES):
        before, text = text, _clean_once(text, company)
        if text == before:
            break
    return text


def _clean_once(text: str, company: Company | None) -> str:
    """Return the text after one pass; a pattern is only looked for where the character is that it cannot do without."""
    text = _plain(text[:MAX_CHARACTERS])
    if "<" in text:
        text = _TAGS.sub(" ", _MASKS.sub(_name_mask, text))
    if "." in text or "://" in text:
        text = _LINKS.sub(LINK, text)
    if "@" in text or "__" in text:
        text = _HANDLES.sub(_name_handle(company), _EMAILS.sub(EMAIL, text))
    text = _replace_names(text, company)
    if _DIGIT.search(text):
        text = _NUMBERS.sub(NUMBER, text)
    if "#" in text:
        text = _CAMEL.sub(lambda match: _CAMEL_EDGE.sub(" ", match[0]), text)
    if not text.isascii() and _MAYBE_EMOJI.search(text):
        text = emoji.replace_emoji(_SKIN_TONES.sub("", text), lambda mark, _: f" {_name_emoji(mark)} ")
    text = _REPEATED_MARKS.sub(r"\1\1\1", _REPEATED_LETTERS.sub(r"\1\1", text))
    text = " ".join(text.split())
    if "[" in text:
        text = _REPEATED_WORDS.sub(r"\1", text)
    if USER in text or COMPANY in text:
        text = _ADDRESS.sub("", _MANY_MENTIONS.sub(r"\1", text))
    return _bounded(text)


def _bounded(text: str) -> str:
    """Cut what the names of emoji made too long, and mark shouting at the end, where no cut takes it away again."""
    shouts = text.endswith(SHOUTING) or _shouts(text)
    text = text.removesuffix(SHOUTING)[: MAX_CHARACTERS - len(SHOUTING) - 1].strip()
    return f"{text} {SHOUTING}".strip() if shouts else text


def is_empty(cleaned: str) -> bool:
    """Return whether a cleaned text holds nothing but links, mentions, numbers and punctuation."""
    rest = re.sub(r"\[(?:link|email|number|shouting)\]|@(?:company|competitor|user)\b", " ", cleaned)
    return not any(character.isalnum() for character in rest)


def _plain(text: str) -> str:
    """Undo mark-up escapes and fancy letters; drop control and invisible characters but keep emoji joiners."""
    if "&" in text:
        text = _NESTED_ESCAPES.sub("&", text)
        while (unescaped := html.unescape(text)) != text:  # each round is shorter than the last
            text = unescaped
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.replace("’", "'").replace("‘", "'"))
    return text.translate(_VISIBLE)


class _Visible(dict[int, str]):
    """What each character becomes: itself, or a space where nobody sees it; filled as characters are met."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        hidden = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} and character not in "\u200d\ufe0f"
        self[point] = " " if hidden else character
        return self[point]


_VISIBLE = _Visible()


def _name_mask(match: re.Match[str]) -> str:
    return {"url": LINK, "link": LINK, "email": EMAIL}.get(match[1].lower(), NUMBER)


def _name_handle(company: Company | None) -> Callable[[re.Match[str]], str]:
    own = {handle.lower() for handle in company.handles} if company else set()
    others = {handle.lower() for handle in company.competitor_handles} if company else set()

    def name(match: re.Match[str]) -> str:
        handle = match[0].lstrip("@").lower()
        if handle in own or handle in {"__company__", "company"}:
            return COMPANY
        return COMPETITOR if handle in others or handle == "competitor" else USER

    return name


def _replace_names(text: str, company: Company | None) -> str:
    if company is None:
        return text
    for names, marker in ((company.names, COMPANY), (company.competitor_names, COMPETITOR)):
        if names:
            text = _name_pattern(names).sub(marker, text)
    return text


@cache
def _name_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w@#])(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.I)


@cache
def _name_emoji(mark: str) -> str:
    return "[" + re.sub(r"[^a-z]+", " ", emoji.demojize(mark, delimiters=("", "")).lower()).strip() + "]"


def _shouts(text: str) -> bool:
    letters = list(filter(str.isalpha, _MARKERS.sub("", text)))
    upper = sum(map(str.isupper, letters))
    return len(letters) >= 12 and upper >= 0.7 * len(letters) and SHOUTING not in text
