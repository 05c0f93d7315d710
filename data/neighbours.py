"""Telling near-duplicate texts: five-letter pieces, MinHash signatures, and bands that bring the like together."""

import hashlib
import re
from functools import cache
from typing import Any

import numpy as np

from data.clean import clean

PERMUTATIONS, BANDS = 64, 16  # bands of four: texts 0.7 alike meet with 0.99 certainty, 0.3 alike with 0.12
_PIECE = 5
_NOISE = re.compile(r"\[(?:link|email|number|shouting)\]|@(?:company|competitor|user)\b|[^\w\s]", re.I)


def essence(text: str) -> str:
    """Return what makes a text the same as another: its words, without case, marks, links and mentions."""
    return " ".join(_NOISE.sub(" ", clean(text)).lower().split())


def pieces(essential: str) -> frozenset[str]:
    """Return the overlapping five-letter pieces of an essence; a shorter one is its own piece."""
    if not essential:
        return frozenset()
    return frozenset(essential[at : at + _PIECE] for at in range(max(1, len(essential) - _PIECE + 1)))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the Jaccard likeness of two sets of pieces, from 0 to 1."""
    return len(one & other) / len(one | other) if one or other else 0.0


def bands_of(parts: frozenset[str]) -> list[int]:
    """Return the signed 64-bit keys under which like texts meet; none for a text without words."""
    if not parts:
        return []
    rows = _signature(parts).reshape(BANDS, -1)
    digests = (hashlib.blake2b(row.tobytes(), digest_size=8, salt=bytes([at])).digest() for at, row in enumerate(rows))
    return [int.from_bytes(digest, "big", signed=True) for digest in digests]


def _signature(parts: frozenset[str]) -> np.ndarray:
    signature = _empty().copy()
    signature.update_batch([part.encode("utf-8") for part in sorted(parts)])
    return signature.hashvalues


@cache
def _empty() -> Any:
    from datasketch import MinHash  # loads SciPy

    return MinHash(num_perm=PERMUTATIONS, seed=1)
