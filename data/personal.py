"""Finding what should not stand in a public text or a training set: addresses, telephone and card numbers."""

import re

_EMAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}\b")
_DIGITS = re.compile(r"(?<![\w.])\+?\d(?:[\s().-]{0,2}\d){7,18}(?!\w)")
_PHONE_DIGITS = range(9, 16)
_CARD_DIGITS = range(13, 20)


def personal_data(text: str) -> tuple[str, ...]:
    """Return which of `email`, `phone` and `card` a text holds; runs of digits count as a card only if their sum fits."""
    found = {"email"} if _EMAIL.search(text) else set()
    for match in _DIGITS.finditer(text):
        digits = [int(character) for character in match[0] if character.isdigit()]
        if len(digits) in _CARD_DIGITS and _luhn(digits):
            found.add("card")
        elif len(digits) in _PHONE_DIGITS and (match[0].startswith(("+", "0")) or not match[0].isdigit()):
            found.add("phone")
    return tuple(sorted(found))


def _luhn(digits: list[int]) -> bool:
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[::-2])) % 10 == 0
