"""Learning from an archive: read once in bounded memory, filtered, and kept only where two judges agree."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from configs.errors import SwitchboardError
from configs.taxonomy import NONE, load_taxonomy
from data.corpus import SEED_SOURCE
from tests.tiny_base import tiny_recipe, tiny_rows
from training import learn as training_learn
from training import run as training_run
from training.archive import Archive, choose, draw_texts, load_examples, save_examples, taught_by_bundle, taught_rows
from training.examples import Example, as_examples
from training.learn import learn
from training.predictor import Predictor
from training.run import train_bundle
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


def test_a_teacher_reads_as_it_is_served_and_its_answers_are_learnt_less_where_it_doubts(
    tiny_base: Path, tmp_path: Path
):
    recipe, said = tiny_recipe(tiny_base), []
    teacher = train_bundle(tiny_rows(24), tiny_rows(6, 1, "h"), recipe, tmp_path / "teacher", "c").bundle
    rows, as_written = tiny_rows(3, 9, "a"), "@brand my router is dead 😀 https://t.co/ab1"
    path = _archive(tmp_path, *(row.message.text for row in rows), as_written)
    taught = taught_by_bundle(teacher, tiny_rows(24), Archive(path, rows[:1], teacher), make_ready(recipe), said.append)
    assert [one.row.message.text for one in taught] == [*(row.message.text for row in rows[1:]), as_written]
    found = Predictor(teacher, threads=1).predict([one.row.message.text for one in taught])
    assert np.allclose([one.scores for one in taught], found.scores * (1 - found.doubt[:, None]), atol=1e-6)
    assert np.allclose([one.doubt for one in taught], found.doubt, atol=1e-6)
    nowhere = [one for one, row in zip(taught, rows[1:], strict=False) if row.label == NONE]
    assert len(nowhere) == 3 and all(sum(one.scores or ()) < 0.5 for one in nowhere)


def test_few_labels_and_a_teachers_archive_are_fine_tuned_on_together(tiny_base: Path, tmp_path: Path):
    rows = tiny_rows(24)
    teacher = train_bundle(rows, tiny_rows(6, 1, "h"), tiny_recipe(tiny_base), tmp_path / "teacher", "c").bundle
    path = _archive(tmp_path, *(row.message.text for row in tiny_rows(20, 9, "a")))
    few = tiny_recipe(tiny_base, few_labels=32)
    made = train_bundle(tiny_rows(4), [], few, tmp_path / "b", "c", archive=Archive(path, teacher=teacher))
    assert made.method == "fine_tune"
    asked = [row for row in tiny_rows(10, 5) if row.label != NONE]
    found = Predictor(made.bundle, threads=1).predict([row.message.text for row in asked]).scores.argmax(axis=1)
    labels = load_taxonomy().labels
    assert np.mean([labels[at] == row.label for at, row in zip(found, asked, strict=True)]) > 0.8


def test_a_network_made_smaller_learns_from_the_teacher_and_is_shown_the_archive(tiny_base: Path, tmp_path: Path):
    said: list[str] = []
    fit, held = tiny_rows(24), tiny_rows(6, 1, "h")
    teacher = train_bundle(fit, held, tiny_recipe(tiny_base), tmp_path / "teacher", "c").bundle
    archive = Archive(_archive(tmp_path, *(row.message.text for row in tiny_rows(5, 9, "a"))), teacher=teacher)
    smaller = tiny_recipe(tiny_base, layers=1, distil_epochs=1)
    made = train_bundle(fit, held, smaller, tmp_path / "b", "c", archive=archive, say=said.append)
    assert made.info.recipe["layers"] == 1
    assert any("answers 45 archive messages" in line for line in said)


def test_a_teacher_of_another_taxonomy_is_refused(tiny_base: Path, tmp_path: Path):
    teacher = train_bundle(tiny_rows(8), tiny_rows(2, 1), tiny_recipe(tiny_base), tmp_path / "teacher", "c").bundle
    setup = make_ready(tiny_recipe(tiny_base))
    other = replace(setup, taxonomy=setup.taxonomy.model_copy(update={"segments": setup.taxonomy.segments[1:]}))
    with pytest.raises(SwitchboardError, match="it knows the labels spam, request"):
        taught_by_bundle(teacher, [], Archive(_archive(tmp_path, "hello there"), (), teacher), other, print)


def test_a_tenth_of_what_a_teacher_answers_is_not_learnt_but_calibrates(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(training_learn, "LEAST_UNSEEN", 5)
    fit, recipe = tiny_rows(24), tiny_recipe(tiny_base)
    held = [replace(row, message=replace(row.message, source=SEED_SOURCE)) for row in tiny_rows(6, 1, "h")]
    teacher = train_bundle(fit, held, recipe, tmp_path / "teacher", "c").bundle
    path = _archive(tmp_path, *(row.message.text for row in tiny_rows(6, 9, "a")))
    setup, shown = make_ready(recipe), []
    original = type(setup).fine_tuned
    monkeypatch.setattr(
        type(setup), "fine_tuned", lambda self, rows, *rest: shown.extend(rows) or original(self, rows, *rest)
    )
    learnt = learn(setup, as_examples(fit), held, tmp_path / "work", archive=Archive(path, (), teacher))
    assert len(learnt.unseen) == 6 and len(shown) == len(fit) + 48
    assert not {one.row.message.id for one in learnt.unseen} & {one.row.message.id for one in shown}
    made = train_bundle(fit, held, recipe, tmp_path / "taught", "c", archive=Archive(path, (), teacher))
    calm = train_bundle(fit, held, recipe.model_copy(update={"caution": 3.0}), tmp_path / "calm", "c",
                        archive=Archive(path, (), teacher))  # fmt: skip
    assert made.info.calibration == calm.info.calibration, "caution is for who has not seen the stream"


def test_a_killed_training_goes_on_with_the_answers_that_were_given(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(training_learn, "LEAST_UNSEEN", 5)
    fit, held, recipe = tiny_rows(24), tiny_rows(6, 1, "h"), tiny_recipe(tiny_base)
    teacher = train_bundle(fit, held, recipe, tmp_path / "teacher", "c").bundle
    texts = [row.message.text for row in tiny_rows(6, 9, "a")]
    given = {"archive": Archive(_archive(tmp_path, *texts), teacher=teacher), "work": tmp_path / "work"}
    whole = train_bundle(fit, held, recipe, tmp_path / "whole", "c", archive=given["archive"])
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(training_run, "write_bundle", _interrupt)
        train_bundle(fit, held, recipe, tmp_path / "b", "c", **given)
    assert {row.message.text for row in taught_rows(tmp_path / "work")} == set(texts)
    monkeypatch.setattr(training_learn, "taught_by_bundle", _interrupt)  # the teacher is not asked twice
    resumed = train_bundle(fit, held, recipe, tmp_path / "b", "c", **given)
    assert resumed.info.calibration == whole.info.calibration
    assert [one.get("eval_macro_f1") for one in resumed.history] == [one.get("eval_macro_f1") for one in whole.history]


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
