"""A version's place on a learning curve: how many labelled messages it fitted, and its quality on the same test rows."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from configs.errors import SwitchboardError
from configs.paths import var_dir
from configs.recipe import Recipe
from configs.taxonomy import NONE, load_taxonomy
from data.corpus import SEED_SOURCE
from data.messages import LabelledMessage
from evaluation.learning_curve import Point
from evaluation.metrics import macro_f1
from evaluation.score import Scored, score
from flows.seen import leave_out_seen
from flows.training_set import TrainingSet
from training.bundle import BundleError, verify
from training.parts import fingerprint
from training.predictor import Predictor
from training.registry import Registry, Version

ADAPTED = "adapted"  # on versions that learnt an archive too: no point of a curve over labels
MOST_EARLIER, LEAST_ROWS = 8, 30
_CURVE, _FITTED, _BY_LABEL, _DRAWN = "curve", "fitted", "fitted_by_label", "learning_curve"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Points of a learning curve, one a size, and a digest of the rows that all of them were judged on."""

    points: tuple[Point, ...]
    on: str

    def as_json(self) -> str:
        """Return it as a version's tag has it."""
        return json.dumps({"on": self.on, "points": [[one.rows, round(one.quality, 4)] for one in self.points]})

    @classmethod
    def of_json(cls, text: str) -> "Drawn":
        """Return what a version's tag says."""
        found = json.loads(text)
        return cls(tuple(Point(*one) for one in found["points"]), found["on"])


def learning_tags(recipe: Recipe, rows: TrainingSet, curve: Drawn | None = None) -> dict[str, str]:
    """Return what a version's tags say of its learning curve: which one, how many rows it fitted, and what was drawn of it.

    Of a company's own rows where there are any, for those are what it can have more of; the seed beside them is the same.
    """
    by_label = Counter(row.label for row in rows.fit)
    tags = {_CURVE: _curve(recipe, rows), _FITTED: str(_size(rows)), _BY_LABEL: json.dumps(by_label)}
    return tags | ({_DRAWN: curve.as_json()} if curve else {})


def draw_learning_curve(
    scored: Scored, folder: Path, recipe: Recipe, rows: TrainingSet, registry: Registry, say: Callable[[str], None],
    adapted: bool = False,
) -> Drawn | None:  # fmt: skip
    """Return rows against macro-F1 of a new version and of earlier ones of the same recipe, asked again on the same rows.

    A company's own test rows where the version fitted any of its own, else the seed's; none that one of the versions
    learnt from; None below LEAST_ROWS with a label. So a curve goes on while test rows come and go. Of earlier versions
    count the MOST_EARLIER latest, one a size; nothing is trained for them. A version `adapted` to an archive is no point itself.
    """
    judged = [row for row in scored.rows if (row.message.source != SEED_SOURCE) == bool(rows.own)]
    curve = [one for one in registry.versions() if one.tags.get(_CURVE) == _curve(recipe, rows)]
    bundles = {} if adapted else {_size(rows): folder}
    bundles |= _earlier(registry, [one for one in curve if ADAPTED not in one.tags], set(bundles), say)
    try:
        judged = leave_out_seen(judged, "the learning curve", [folder, *bundles.values()], lambda line: None)
    except SwitchboardError:  # none is left
        return None
    if sum(row.label != NONE for row in judged) < LEAST_ROWS:
        return None
    on = fingerprint(judged)
    last = _drawn(curve[0]) if curve else None
    known = {point.rows: point for point in last.points} if last and last.on == on else {}
    if not adapted:
        known[_size(rows)] = Point(_size(rows), _quality(scored, judged))
    points = [known.get(size) or Point(size, _quality(score(Predictor(bundle), judged), judged))
              for size, bundle in sorted(bundles.items())]  # fmt: skip
    return Drawn(tuple(points), on)


def learnt_from(digest: str) -> tuple[dict[str, int] | None, list[Point]]:
    """Return what the registry knows of a bundle: fitted rows a label, and its learning curve as last drawn."""
    versions = Registry().versions()
    mine = next((one for one in versions if one.digest == digest and _CURVE in one.tags), None)
    if mine is None:
        return None, []
    last = _drawn(next(one for one in versions if one.tags.get(_CURVE) == mine.tags[_CURVE]))
    return json.loads(mine.tags[_BY_LABEL]), list(last.points) if last else []


def _quality(scored: Scored, judged: Sequence[LabelledMessage]) -> float:
    wanted = {row.message.id for row in judged}
    inside = scored.answers().at(np.array([row.message.id in wanted for row in scored.rows], dtype=bool)).inside()
    return macro_f1(inside.true, inside.found, len(scored.labels))


def _earlier(
    registry: Registry, versions: Sequence[Version], without: set[int], say: Callable[[str], None]
) -> dict[int, Path]:
    """Return the bundles of the latest version of each size, by the size."""
    found: dict[int, Path] = {}
    for version in versions:
        size = int(version.tags[_FITTED])
        if len(found) < MOST_EARLIER and size not in without and size not in found:
            try:
                found[size] = _bundle(registry, version)
            except SwitchboardError as error:
                say(f"the learning curve goes without version {version.version}: {error}")
    return found


def _bundle(registry: Registry, version: Version) -> Path:
    """Return a version's bundle as its training left it here, else from the registry."""
    here = var_dir() / "bundles" / f"run-{version.run_id}"
    try:
        if here.is_dir() and verify(here) == version.digest:
            return here
    except BundleError:
        pass
    return registry.fetch(version)


def _drawn(version: Version) -> Drawn | None:
    return Drawn.of_json(version.tags[_DRAWN]) if _DRAWN in version.tags else None


def _curve(recipe: Recipe, rows: TrainingSet) -> str:
    """Return what the versions of one curve have in common: all that was chosen, but the number of rows."""
    of_size = recipe.model_dump_json(exclude={"name"} if rows.own else {"name", "max_rows"})
    beside = ("alone" if rows.own == len(rows.fit) else "beside the seed") if rows.own else ""
    labels = ",".join(load_taxonomy().labels)
    return hashlib.sha256(f"{of_size}{beside}{labels}".encode()).hexdigest()[:16]


def _size(rows: TrainingSet) -> int:
    return rows.own or len(rows.fit)
