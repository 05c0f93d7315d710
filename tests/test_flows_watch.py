"""When new labels are worth a training, and what happens when one fails or two want to train."""

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from configs.errors import SwitchboardError
from configs.labeling import Watch
from data.ledger import LabelEvent, Ledger, open_ledger
from flows.watch import State, Watcher, is_due

WATCH = Watch(every_s=60, quiet_s=0, min_new=3, min_share=0.0)


@dataclass(frozen=True)
class Result:
    version: str = "7"
    passed: bool = True
    promoted: bool = False


@pytest.fixture
def ledger(sqlite_url: str):
    with open_ledger(sqlite_url) as opened:
        yield opened


def label(ledger: Ledger, *names: str, origin="labeler") -> None:
    ledger.events.append(
        LabelEvent(key=f"{name}-{origin}", message_id=name, annotator="ann", origin=origin, label="praise")
        for name in names
    )


def watcher(ledger: Ledger, folder: Path, retrain, pull=lambda: 0, watch: Watch = WATCH) -> Watcher:
    return Watcher(ledger, watch, pull, retrain, folder)


def test_enough_new_labels_are_due(ledger):
    label(ledger, "a", "b")
    assert not is_due(ledger, State(), WATCH).now
    label(ledger, "c")
    assert is_due(ledger, State(), WATCH).now


def test_the_seed_corpus_and_second_labels_on_one_message_do_not_count(ledger):
    label(ledger, "a", "b", "c", origin="seed")
    label(ledger, "a")
    label(ledger, "a", origin="feedback")
    assert is_due(ledger, State(), WATCH).new == 1


def test_the_more_labels_there_are_the_more_must_come(ledger):
    label(ledger, *(f"m-{number}" for number in range(100)))
    due = is_due(ledger, State(trained_seq=90), Watch(every_s=1, quiet_s=0, min_new=3, min_share=0.2))
    assert (due.new, due.needed, due.now) == (10, 20, False)


def test_a_training_is_not_repeated_for_the_same_labels(ledger, tmp_path):
    label(ledger, "a", "b", "c")
    reasons = []
    one = watcher(ledger, tmp_path, lambda reason: reasons.append(reason) or Result())
    assert one.round() == Result()
    assert one.round() is None
    assert reasons == ["3 new labels, 3 are enough"]


def test_a_failed_training_is_logged_and_tried_again_when_another_label_comes(ledger, tmp_path, caplog):
    label(ledger, "a", "b", "c")
    outcomes = [RuntimeError("out of memory"), Result()]

    def retrain(reason: str) -> Result:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    one = watcher(ledger, tmp_path, retrain)
    assert one.round() is None
    assert "out of memory" in caplog.text
    assert one.round() is None
    label(ledger, "d")
    assert one.round() == Result()


def test_a_training_that_took_the_process_down_is_not_begun_again_by_itself(ledger, tmp_path):
    label(ledger, "a", "b", "c")

    class Killed(BaseException):
        """What no code catches."""

    def die(reason: str) -> Result:
        raise Killed

    with pytest.raises(Killed):
        watcher(ledger, tmp_path, die).round()
    assert watcher(ledger, tmp_path, lambda reason: Result()).round() is None
    label(ledger, "d")
    assert watcher(ledger, tmp_path, lambda reason: Result()).round() == Result()


@pytest.mark.parametrize("how", [KeyboardInterrupt, SystemExit])
def test_a_training_that_somebody_stopped_is_begun_again(ledger, tmp_path, how):
    label(ledger, "a", "b", "c")

    def stop(reason: str) -> Result:
        raise how

    with pytest.raises(how):
        watcher(ledger, tmp_path, stop).round()
    assert watcher(ledger, tmp_path, lambda reason: Result()).round() == Result()


def test_labels_that_still_come_put_the_training_off(ledger, tmp_path):
    label(ledger, "a", "b", "c")
    restless = Watch(every_s=60, quiet_s=3600, min_new=3, min_share=0.0)
    assert watcher(ledger, tmp_path, lambda reason: Result(), pull=lambda: 1, watch=restless).round() is None


def test_two_watchers_train_one_at_a_time(ledger, tmp_path):
    label(ledger, "a", "b", "c")
    inner = []

    def retrain(reason: str) -> Result:
        inner.append(watcher(ledger, tmp_path, lambda reason: Result("8")).round())
        return Result()

    assert watcher(ledger, tmp_path, retrain).round() == Result()
    assert inner == [None]


def test_a_pull_that_fails_does_not_end_watching(ledger, tmp_path, caplog):
    def gone() -> int:
        raise SwitchboardError("Label Studio is gone")

    assert watcher(ledger, tmp_path, lambda reason: Result(), pull=gone).round() is None
    assert "labels wait on the server" in caplog.text


def test_a_nudge_hurries_the_next_round(ledger, tmp_path):
    rounds = threading.Semaphore(0)
    one = watcher(ledger, tmp_path, None, pull=lambda: rounds.release() or 0)
    thread = threading.Thread(target=one.run, daemon=True)
    thread.start()
    assert rounds.acquire(timeout=30)
    one.nudge()
    assert rounds.acquire(timeout=30)  # long before the minute of the schedule is over
    one.stop()
    thread.join(timeout=30)
    assert not thread.is_alive()
