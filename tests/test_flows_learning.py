"""The learning curve: versions of one recipe on the same test rows, which may come and go."""

import shutil
from pathlib import Path

import pytest

from configs.recipe import Recipe
from data.corpus import SEED_SOURCE
from data.messages import LabelledMessage, Message
from evaluation.learning_curve import Point
from evaluation.score import score
from flows import learning
from flows.learning import ADAPTED, Drawn, draw_learning_curve, learning_tags, learnt_from
from flows.seen import keep_seen
from flows.training_set import TrainingSet
from tests.bundles import LABELS, WORDS, make_bundle
from training.bundle import bundle_digest
from training.predictor import Predictor
from training.registry import Registry


def _rows(name: str, per_label: int, wrong: int = 0, source: str = "") -> list[LabelledMessage]:
    """Return rows a label, the last `wrong` of which say the next label instead."""
    rows = []
    for place, (label, words) in enumerate(WORDS.items()):
        for number in range(per_label):
            says = LABELS[(place + 1) % len(LABELS)] if number >= per_label - wrong else label
            key = f"{name}-{label}-{number}"
            rows.append(LabelledMessage(Message(f"{words} {key}", key, source=source), says))
    return rows


SEED_TEST = _rows("seed", 5, wrong=2, source=SEED_SOURCE)


def _own(size: int, test: list[LabelledMessage]) -> TrainingSet:
    """Return so many of a company's rows beside the seed."""
    seed, own = _rows("s", 30, source=SEED_SOURCE), _rows("o", 30)[:size]
    return TrainingSet([*seed, *own], [], [*SEED_TEST, *test], "f", own=size)


def _recipe(**changes: object) -> Recipe:
    return Recipe.model_validate({"name": "t", "epochs": 1, "learning_rate": 1e-4, **changes})


def _train(
    registry: Registry, folder: Path, rows: TrainingSet, strength: float = 2.0, adapted: bool = False, **changes: object
) -> Drawn | None:
    """Register a version as a training does, and return its learning curve."""
    bundle, said = make_bundle(folder, strength, name=folder.name), []
    recipe = _recipe(**changes)
    with registry.run("r") as run:
        keep_seen(bundle, rows.fit)
        scored = score(Predictor(bundle), rows.test)
        curve = draw_learning_curve(scored, bundle, recipe, rows, registry, said.append, adapted)
        registry.register(run, bundle, learning_tags(recipe, rows, curve) | ({ADAPTED: "archive"} if adapted else {}))
    return curve


def _points(curve: Drawn | None) -> list[Point]:
    return list(curve.points) if curve else []


def test_a_curve_goes_on_on_the_rows_that_test_now(registry: Registry, tmp_path: Path):
    first = _train(registry, tmp_path / "a", _own(50, _rows("then", 10)))
    assert _points(first) == [Point(50, 1.0)], "of its own rows, not of the seed's, which are wrong"
    now = _rows("now", 10, wrong=5)
    second = _train(registry, tmp_path / "b", _own(100, now), strength=0.0)
    earlier, latest = _points(second)
    assert (earlier.rows, latest.rows) == (50, 100) and latest.quality < earlier.quality == pytest.approx(0.5)
    for folder in ("a", "b"):  # both versions' reports show what was drawn last
        fitted, points = learnt_from(bundle_digest(tmp_path / folder))
        assert [one.rows for one in points] == [50, 100] and points[0].quality == pytest.approx(0.5)
        assert fitted is not None and sum(fitted.values()) == 240 + points[("a", "b").index(folder)].rows
    assert learnt_from("unknown") == (None, [])


def test_the_seeds_curve_is_judged_on_the_seeds_rows(registry: Registry, tmp_path: Path):
    for size in (120, 160):
        rows = TrainingSet(
            _rows("s", size // 8, source=SEED_SOURCE),
            [],
            [*_rows("q", 10, source=SEED_SOURCE), *_rows("o", 10, 10)],
            "f",
        )
        curve = _train(registry, tmp_path / str(size), rows, max_rows=size)
    assert _points(curve) == [Point(120, 1.0), Point(160, 1.0)]


def test_other_recipes_other_parts_and_archives_make_no_points(registry: Registry, tmp_path: Path):
    test = _rows("test", 10)
    _train(registry, tmp_path / "other", _own(20, test), epochs=9)
    _train(registry, tmp_path / "archive", _own(30, test), adapted=True)
    alone = TrainingSet(_rows("o", 5), [], test, "f", own=40)
    _train(registry, tmp_path / "alone", alone)
    _train(registry, tmp_path / "few", _own(50, test), strength=0.0)
    assert [one.rows for one in _points(_train(registry, tmp_path / "this", _own(60, test)))] == [50, 60]
    assert [one.rows for one in _points(_train(registry, tmp_path / "with", _own(70, test), adapted=True))] == [50, 60]
    again = _train(registry, tmp_path / "again", _own(50, _rows("now", 10)))  # the latest of its size counts
    assert _points(again) == [Point(50, 1.0), Point(60, 1.0)]


def test_what_a_version_learnt_from_judges_none_and_too_few_rows_draw_nothing(registry: Registry, tmp_path: Path):
    test = _rows("test", 5, wrong=1)
    learnt = _own(50, test)
    learnt.fit[-8:] = [row for row in test if row.message.id.endswith("-4")]  # the wrong ones
    assert _points(_train(registry, tmp_path / "a", learnt)) == [Point(50, 1.0)]
    assert _points(_train(registry, tmp_path / "b", _own(60, test))) == [Point(50, 1.0), Point(60, 1.0)]
    assert _train(registry, tmp_path / "c", _own(70, _rows("test", 3))) is None
    learnt.fit[-40:] = test
    assert _train(registry, tmp_path / "d", learnt) is None, "nothing is new to it"


def test_no_version_is_asked_twice_on_the_same_rows(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = []
    monkeypatch.setattr(
        learning, "score", lambda predictor, rows: asked.append(predictor.info.name) or score(predictor, rows)
    )
    for number, test in enumerate([_rows("one", 10), _rows("one", 10), _rows("two", 10)]):
        _train(registry, tmp_path / f"v{number}", _own(50 + number, test))
    assert asked == ["v0", "v1"], "for the third, on other rows; its own answers are known"


def test_a_version_whose_bundle_is_gone_is_left_out(registry: Registry, tmp_path: Path, var_dir: Path):
    for size in (50, 60):
        _train(registry, tmp_path / str(size), _own(size, _rows("test", 10)))
    gone = next(one for one in registry.versions() if one.tags["fitted"] == "50")
    for folder in ("mlartifacts", "bundles"):
        for path in (var_dir / folder).rglob(f"*{gone.run_id if folder == 'mlartifacts' else gone.digest[:12]}*"):
            shutil.rmtree(path, ignore_errors=True)
    bundle, said = make_bundle(tmp_path / "70"), []
    rows = _own(70, _rows("new", 10))
    curve = draw_learning_curve(score(Predictor(bundle), rows.test), bundle, _recipe(), rows, registry, said.append)
    assert [one.rows for one in _points(curve)] == [60, 70]
    assert said[0].startswith(f"the learning curve goes without version {gone.version}: ")
