"""Surface noise that keeps the label: punctuation, links, hashtags, handles, typing slips and case.

Written texts are tidier than typed ones, and what is tidy differs by label; noise at the same rate for every label
teaches the model that none of it decides.
"""

import random
import re
from collections.abc import Callable

_SHORT_FORMS = {
    "you": "u", "your": "ur", "are": "r", "please": "pls", "because": "cos", "thanks": "thx", "though": "tho",
    "people": "ppl", "message": "msg", "tomorrow": "tmrw", "really": "rly", "with": "w/", "and": "&", "going to": "gonna",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z']{4,}")
_LEADING = re.compile(r"^(?:\.?@\w+|__company__)(?:\s+@\w+)*[\s,:]+")
_LINK_AT_END = re.compile(r"\s*https?://\S+\s*$")
_STOP = re.compile(r"\.(?=\s|$)")
_COMMON = frozenset("about after again their there these those where which while would could should because".split())


def augment(text: str, rng: random.Random) -> str:
    """Return `text` with a little noise, drawn from `rng`; it says the same."""
    for share, change in _CHANGES:
        if rng.random() < share:
            text = change(text, rng) or text
    return text


def _exclaim(text: str, rng: random.Random) -> str:
    mark = rng.choice(("!", "!", "!!", "!!!"))
    if text.rstrip().endswith("?"):
        return text.rstrip() + rng.choice(("?", "?!", "??", "!"))
    stops = list(_STOP.finditer(text))
    if not stops:
        return _before_link(text, mark)
    chosen = rng.choice(stops)
    return text[: chosen.start()] + mark + text[chosen.end() :]


def _link(text: str, rng: random.Random) -> str:
    if _LINK_AT_END.search(text):
        return _LINK_AT_END.sub("", text)
    return f"{text} https://t.co/{rng.randrange(16**8):x}"


def _hashtag(text: str, rng: random.Random) -> str:
    words = [match for match in _WORD.finditer(text) if match[0].lower() not in _COMMON]
    if not words:
        return text
    if rng.random() < 0.4:
        chosen = rng.choice(words)
        return f"{text[: chosen.start()]}#{text[chosen.start() :]}"
    tag = "".join(match[0].replace("'", "").capitalize() for match in rng.sample(words, min(len(words), 2)))
    return _before_link(text, f" #{tag}")


def _handles(text: str, rng: random.Random) -> str:
    leading = _LEADING.match(text)
    kind = rng.random()
    if leading is None:
        return f"@someone{rng.randrange(99)} {text}"
    if kind < 0.4:
        return text[leading.end() :]
    if kind < 0.7:
        return f"{leading[0].strip()} @other{rng.randrange(99)} {text[leading.end() :]}"
    return _before_link(text[leading.end() :], " " + leading[0].strip().rstrip(",:"))


def _slips(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 3)):
        words = list(_WORD.finditer(text))
        if not words:
            return text
        chosen = rng.choice(words)
        text = text[: chosen.start()] + _slip(chosen[0], rng) + text[chosen.end() :]
    return text


def _slip(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    kind = rng.random()
    if kind < 0.35:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if kind < 0.7:
        return word[:place] + word[place + 1 :]
    return word[:place] + word[place] + word[place:]


def _shorten(text: str, rng: random.Random) -> str:
    for long, short in _SHORT_FORMS.items():
        if rng.random() < 0.7:
            text = re.sub(rf"\b{long}\b", short, text, flags=re.I)
    return text


def _careless(text: str, rng: random.Random) -> str:
    text = text.replace("'", "").replace("’", "")
    return text.lower() if rng.random() < 0.6 else _STOP.sub("", text)


def _shout(text: str, rng: random.Random) -> str:
    return text.upper()


def _before_link(text: str, addition: str) -> str:
    link = _LINK_AT_END.search(text)
    return text + addition if link is None else text[: link.start()].rstrip() + addition + " " + link[0].strip()


_CHANGES: tuple[tuple[float, Callable[[str, random.Random], str]], ...] = (
    (0.20, _exclaim), (0.13, _link), (0.10, _hashtag), (0.22, _handles), (0.20, _slips), (0.12, _shorten),
    (0.20, _careless), (0.03, _shout),
)  # fmt: skip
