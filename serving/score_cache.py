"""What the model said of the texts read last, shared by the threads that score: each text is scored by one of them."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from serving.decisions import Scored

Scores = dict[str, Scored]


@dataclass(frozen=True, slots=True)
class Claim:
    """What is known of some texts, which of them the claimer has to score, and which another thread is scoring."""

    known: Scores = field(default_factory=dict)
    mine: list[str] = field(default_factory=list)
    theirs: dict[str, "Future[Scores]"] = field(default_factory=dict)
    promise: "Future[Scores]" = field(default_factory=Future)


class ScoreCache:
    """Scores by what the model reads of a text; bounded, and safe between threads.

    Who claims a text settles it, and the others wait for that.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._scores: OrderedDict[str, Scored] = OrderedDict()
        self._claimed: dict[str, Future[Scores]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._scores)

    def claim(self, cleaned: Sequence[str]) -> Claim:
        """Return what is known of the given texts; the claim must be settled, whatever comes."""
        claim = Claim()
        with self._lock:
            for text in dict.fromkeys(cleaned):
                if (scored := self._scores.get(text)) is not None:
                    self._scores.move_to_end(text)
                    claim.known[text] = scored
                elif (theirs := self._claimed.get(text)) is not None:
                    claim.theirs[text] = theirs
                else:
                    self._claimed[text] = claim.promise
                    claim.mine.append(text)
        return claim

    def settle(self, claim: Claim, scores: Scores) -> None:
        """Keep the scores of a claim's own texts, drop those unused for longest, and tell who waits."""
        with self._lock:
            for text in claim.mine:
                del self._claimed[text]
            self._scores.update(scores)
            while len(self._scores) > self._entries:
                self._scores.popitem(last=False)
        claim.promise.set_result(scores)
