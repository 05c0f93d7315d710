"""Train, evaluate, register, pass the gate, promote: the way of every version, by hand or by `retrain`."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from configs.paths import published_dir, var_dir
from configs.recipe import Recipe
from configs.taxonomy import load_taxonomy
from evaluation.gate import Verdict
from flows.environment import describe_environment
from flows.judging import assess, gate_tags, log_assessment
from flows.learning import ADAPTED, draw_learning_curve, learning_tags
from flows.progress import ProgressPrinter
from flows.seen import keep_seen, seen_by
from flows.training_set import TrainingSet
from flows.work import Work, work_folder, work_key, work_path
from training.archive import Archive, taught_rows
from training.bundle import read_info, verify
from training.encoder import base_model_digest, file_digest, locate_base_model
from training.processes import part_company
from training.publish import Champion, pointer_damage, publish
from training.registry import CHAMPION, EXPERIMENT_TAG, Registry, Run, Version, commit
from training.run import Trained, follow, train_bundle

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A registered challenger: its figures on the test rows and the gate's verdict."""

    version: Version
    bundle: Path
    figures: dict[str, float]
    verdict: Verdict


def train_version(
    recipe: Recipe, rows: TrainingSet, say: Say, registry: Registry | None = None, archive: Archive | None = None,
    experiment: str = "",
) -> NewVersion:  # fmt: skip
    """Train on `rows`, evaluate on their test side, and register the bundle as challenger with the gate's verdict.

    A run that was killed goes on where it was, in the same MLflow run, when it is asked for again. `archive` is of
    unlabelled messages to learn from too; `experiment` says why this version may be promoted by force only.
    """
    registry = registry or Registry()
    with work_folder(training_key(recipe, rows, archive)) as work:
        say(_first_words(recipe, rows, work))
        tags = _tags(rows, archive, experiment, registry)
        with registry.run(recipe.name, tags, resume=work.run_id) as run:
            work.begin(run.id)
            version, found, verdict = _in_run(run, recipe, rows, archive, tags, work, say, registry)
    say(f"registered as version {version} (challenger), macro-F1 {found['macro_f1']:.3f} on the test messages")
    return NewVersion(registry.find(version), _bundle_folder(run), found, verdict)


def follow_training(recipe: Recipe, rows: TrainingSet, archive: Archive | None = None) -> None:
    """Do another process' share of a training that the first process logs, evaluates and registers."""
    work = work_path(training_key(recipe, rows, archive))
    follow(rows.fit, rows.holdout, recipe, work, rows.weights, _without_test(archive, rows))
    part_company()


def training_key(recipe: Recipe, rows: TrainingSet, archive: Archive | None = None) -> str:
    """Return what is the same for the same training: recipe, data, archive, its teacher, base model and code."""
    weights = hashlib.sha256(repr(rows.weights).encode()).hexdigest()
    others = [
        file_digest(archive.path) if archive else "",
        *([verify(archive.teacher)] if archive and archive.teacher else []),
        base_model_digest(locate_base_model(recipe.base_model)),
        commit(),
    ]
    return work_key(recipe, rows.fingerprint, weights, *others)


def _in_run(
    run: Run, recipe: Recipe, rows: TrainingSet, archive: Archive | None, tags: dict[str, str], work: Work, say: Say,
    registry: Registry,
) -> tuple[str, dict[str, float], Verdict]:  # fmt: skip
    _log_inputs(run, recipe, rows)
    trained = train_bundle(
        rows.fit, rows.holdout, recipe, _bundle_folder(run), commit(), (ProgressPrinter(say),), weights=rows.weights,
        archive=_without_test(archive, rows), work=work.folder, say=say, beside=rows.beside,
    )  # fmt: skip
    part_company()
    before = seen_by(archive.teacher) if archive and archive.teacher else frozenset()
    keep_seen(trained.bundle, [*rows.fit, *rows.holdout, *rows.beside, *taught_rows(work.folder)], before)
    _log_curve(run, trained)
    say(f"evaluating on {len(rows.test)} test messages")
    found = assess(trained.bundle, rows.test, rows.drawn, say)
    adapted = archive is not None
    curve = draw_learning_curve(found.candidate.scored, trained.bundle, recipe, rows, registry, say, adapted)
    log_assessment(run, found, rows, say, curve)
    tags |= {"recipe": recipe.name, "method": trained.method, **gate_tags(found), **learning_tags(recipe, rows, curve)}
    return registry.register(run, trained.bundle, tags), found.candidate.figures(), found.verdict


def _without_test(archive: Archive | None, rows: TrainingSet) -> Archive | None:
    return replace(archive, kept_out=rows.test) if archive else None


def _bundle_folder(run: Run) -> Path:
    return var_dir() / "bundles" / f"run-{run.id}"


def _tags(rows: TrainingSet, archive: Archive | None, experiment: str, registry: Registry) -> dict[str, str]:
    tags = {"taxonomy": load_taxonomy().version, "data": rows.source}
    if archive:
        tags[ADAPTED] = file_digest(archive.path)
    if archive and archive.teacher:
        tags["teacher"] = read_info(archive.teacher).name
        experiment = experiment or _experiment_of(verify(archive.teacher), registry)
    if experiment:
        tags[EXPERIMENT_TAG] = experiment
    return tags


def _experiment_of(teacher: str, registry: Registry) -> str:
    """Return why what a teacher teaches may be promoted by force only, if it is an experiment itself; by its digest."""
    for version in registry.versions():
        if version.digest == teacher and EXPERIMENT_TAG in version.tags:
            return f"taught by version {version.version}: {version.tags[EXPERIMENT_TAG]}"
    return ""


def _first_words(recipe: Recipe, rows: TrainingSet, work: Work) -> str:
    resumed = "going on with" if work.run_id else "training"
    return f"{resumed} recipe '{recipe.name}' on {len(rows.fit)} messages ({len(rows.holdout)} held out), {rows.source}"


def promote_version(
    registry: Registry, version: Version, say: Say, action: str = "promote", reason: str = ""
) -> Champion:
    """Publish a version's bundle behind the champion's pointer, then move the registry's alias to it."""
    bundle, verdict = registry.fetch(version), version.tags.get("gate", "never judged")
    if damage := pointer_damage(published_dir()):
        say(f"{damage} and is written anew; what it named is known from the audit trail")
    champion = publish(bundle, version.version, published_dir(), action=action, reason=reason, verdict=verdict)
    registry.point(CHAMPION, version.version)
    say(f"version {version.version} is the champion now ({champion.folder})")
    return champion


def _log_inputs(run: Run, recipe: Recipe, rows: TrainingSet) -> None:
    run.log_params({**recipe.model_dump(), **{f"rows_{name}": count for name, count in rows.sizes.items()}})
    run.log_text(recipe.model_dump_json(indent=1), "recipe.json")
    run.log_text(json.dumps(describe_environment(), indent=1), "environment.json")
    run.log_data("training-set", rows.fingerprint, rows.sizes)


def _log_curve(run: Run, trained: Trained) -> None:
    for record in trained.history:
        step = int(record.get("step", 0))
        run.log_metrics({f"train_{name}": value for name, value in record.items() if name != "step"}, step=step)
    run.log_params({"temperature": trained.info.calibration.temperature, "thresholds": trained.info.thresholds.auto})
