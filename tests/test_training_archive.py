"""Learning from an archive: read once in bounded memory, filtered, and kept only where two judges agree."""

import json
from pathlib import Path

import numpy as np
import pytest

from configs.errors import SwitchboardError
from tests.tiny_base import tiny_recipe, tiny_rows
from training.archive import choose, draw_texts, load_examples, save_examples
from training.examples import Example
from training.setup import make_ready


def _archive(tmp_path: Path, *texts: object) -> Path:
    path = tmp_path / "archive.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


def test_only_usable_and_unknown_messages_are_drawn_and_each_once(tiny_base: Path, tmp_path: Path):
    path = _archive(tmp_path, "my router is dead", "my router is dead", "", 7, "known already", "thanks a lot")
    assert draw_texts(path, make_ready(tiny_recipe(tiny_base)), {"known already"}) == [
        "my router is dead",
        "thanks a lot",
    ]


def test_a_long_archive_is_drawn_from_evenly_and_the_same_way(tiny_base: Path, tmp_path: Path):
    path = _archive(tmp_path, *(f"message number {number} of many" for number in range(2000)))
    setup = make_ready(tiny_recipe(tiny_base, archive_rows=100))
    drawn = draw_texts(path, setup, set())
    assert len(set(drawn)) == 100 and drawn == draw_texts(path, setup, set())
    assert 600 < np.mean([int(text.split()[2]) for text in drawn]) < 1400


def test_an_archive_with_nothing_to_learn_is_refused(tiny_base: Path, tmp_path: Path):
    with pytest.raises(SwitchboardError, match="no message in it can be learnt from"):
        draw_texts(_archive(tmp_path, "", None), make_ready(tiny_recipe(tiny_base)), set())


def test_sure_agreed_and_in_scope_is_kept_and_nothing_else():
    scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])
    doubt, second = np.array([0.1, 0.1, 0.9, 0.1, 0.1]), np.array([0, 0, 0, 1, 1])
    assert choose(scores, doubt, second, 0.8) == [0, 4]


def test_no_label_takes_more_than_thrice_its_share():
    scores = np.zeros((100, 8))
    scores[np.arange(100), [0] * 93 + list(range(1, 8))] = np.linspace(0.9, 0.99, 100)
    kept = choose(scores, np.zeros(100), scores.argmax(axis=1), 0.8)
    assert sum(at < 93 for at in kept) == 38 and set(range(93, 100)) <= set(kept)
    assert min(kept) == 55, "the surest of a label are kept"


def test_what_was_taught_is_read_back_by_a_resumed_run(tmp_path: Path):
    kept = [Example(row, 0.3, (0.5,) * 8, 0.2) for row in tiny_rows(1)]
    save_examples(kept, tmp_path / "taught.jsonl")
    found = load_examples(tmp_path / "taught.jsonl")
    assert [(one.row.message.text, one.row.label, one.scores, one.doubt) for one in found] == [
        (one.row.message.text, one.row.label, one.scores, one.doubt) for one in kept
    ]
