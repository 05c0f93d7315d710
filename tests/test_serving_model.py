import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from configs.playbook import load_playbook
from serving.decisions import Decider, Scored
from serving.model import ServedModel, open_model
from tests.serving import wait_until
from training.publish import publish, read_champion


class HeldDecider:
    """A decider's `score`, which may be held shut and made to fail, and remembers what it was asked."""

    def __init__(self, decider: Decider) -> None:
        self._score = decider.score
        self.asked: list[list[str]] = []
        self.open = threading.Event()
        self.faulty: str | None = None

    def __call__(self, cleaned: list[str]) -> list[Scored]:
        self.asked.append(cleaned)
        assert self.open.wait(10)
        if self.faulty in cleaned:
            raise RuntimeError("a fault")
        return self._score(cleaned)


@pytest.fixture
def model(tiny_bundle: Path, tmp_path: Path) -> ServedModel:
    publish(tiny_bundle, "1", tmp_path)
    champion = read_champion(tmp_path)
    assert champion
    return open_model(tiny_bundle, champion, load_playbook(), 1, 10)


@pytest.fixture
def held(model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> HeldDecider:
    held = HeldDecider(model.decider)
    monkeypatch.setattr(model.decider, "score", held)
    return held


def test_a_text_that_another_thread_is_scoring_is_waited_for(model, held):
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(model.score, ["it is broken", "thanks"])
        wait_until(lambda: len(held.asked) == 1)
        second = threads.submit(model.score, ["thanks", "a scam", "thanks"])
        wait_until(lambda: len(held.asked) == 2)
        held.open.set()
        scored, computed = second.result(10)
        assert held.asked == [["it is broken", "thanks"], ["a scam"]] and computed == 1
        assert scored[0] is scored[2] is first.result(10)[0][1]


def test_what_failed_in_another_thread_is_scored_again(model, held):
    held.faulty = "it is broken"
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(model.score, ["it is broken", "thanks"])
        wait_until(lambda: len(held.asked) == 1)
        second = threads.submit(model.score, ["a scam", "thanks"])
        wait_until(lambda: len(held.asked) == 2)
        held.open.set()
        with pytest.raises(RuntimeError, match="a fault"):
            first.result(10)
        assert second.result(10)[1] == 2
        assert held.asked[2:] == [["thanks"]]


def test_more_texts_than_the_cache_holds_are_all_answered(model, held):
    held.open.set()
    texts = [f"message {number} is broken" for number in range(30)]
    scored, computed = model.score(texts)
    assert len(scored) == computed == 30 and len(model.cache) == 10
