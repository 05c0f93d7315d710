"""Telling text in a language the model does not know from English with a foreign word in it."""

import re
from functools import cache
from typing import Any

ENGLISH = "en"
MIN_LETTERS = 20
MIN_CERTAINTY = 0.97
MIN_CERTAINTY_IN_DOUBT = 0.3
# English words that no other language writes often: three of them are English enough, whatever the detector says.
_ENGLISH_WORDS = frozenset(
    (
        "the and you your is are was were have has had not with this that what when where why how can could "
        "would should will they their there from been just please thanks my me it its it's i'm i've don't "
        "can't get got any all for but out now still again after before because about which who of to"
    ).split()
)
_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")


def is_unsupported(cleaned: str, in_doubt: bool = False) -> bool:
    """Return whether a cleaned text is, with high certainty, not English.

    Where the model itself doubts that a text belongs to it, short ones count too and less certainty is enough:
    "Wo ist mein Paket?" says little to a detector and nothing to the model.
    """
    text = re.sub(r"\[[a-z -]*\]|[@#]\w+", " ", cleaned)
    letters = [character for character in text if character.isalpha()]
    if not letters:
        return False
    if sum(ord(character) > 0x24F for character in letters) > 0.5 * len(letters):
        return True
    words = [word.lower() for word in _WORD.findall(text)]
    english = sum(word in _ENGLISH_WORDS for word in words)
    if english >= max(2, 0.12 * len(words)) or (len(letters) < MIN_LETTERS and not in_doubt):
        return False
    language, certainty = _detector().classify(text.lower())
    return language != ENGLISH and certainty >= (MIN_CERTAINTY_IN_DOUBT if in_doubt else MIN_CERTAINTY)


@cache
def _detector() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
