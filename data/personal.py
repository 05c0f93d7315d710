"""Finding what should not stand in a public text or a training set: addresses, telephone, card and account numbers."""

import re

_EMAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}\b")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_DIGITS = re.compile(r"(?<![\w.])\+?\d(?:[\s().-]{0,2}\d){7,18}(?!\w)")
_FEWEST_DIGITS = 8
_PHONE_DIGITS = range(9, 16)
_CARD_DIGITS = range(13, 20)


def personal_data(text: str) -> tuple[str, ...]:
    """Return which of `account`, `card`, `email` and `phone` a text holds; digits are a card only if their sum fits."""
    found = {"email"} if "@" in text and _EMAIL.search(text) else set()
    if sum(map(str.isdigit, text)) < _FEWEST_DIGITS:
        return tuple(found)
    if _IBAN.search(text):
        found.add("account")
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
