"""Train, evaluate, register, pass the gate, promote: the way of every version, by hand or by `retrain`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from configs.gate import load_gate
from configs.paths import published_dir, var_dir
from configs.recipe import Recipe
from configs.taxonomy import load_taxonomy
from data.messages import LabelledMessage
from evaluation.candidate import Candidate, examine
from evaluation.gate import Verdict, check_gate
from flows.progress import ProgressPrinter
from flows.training_set import TrainingSet
from training.bundle import BundleError
from training.predictor import Predictor
from training.publish import Champion, publish, read_champion
from training.registry import CHAMPION, Registry, Run, Version, commit
from training.run import Trained, train_bundle

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A registered challenger: its figures on the test rows and the gate's verdict."""

    version: Version
    bundle: Path
    figures: dict[str, float]
    verdict: Verdict


def train_version(recipe: Recipe, rows: TrainingSet, say: Say, registry: Registry | None = None) -> NewVersion:
    """Train on `rows`, evaluate on their test side, and register the bundle as challenger with the gate's verdict."""
    registry = registry or Registry()
    say(f"training recipe '{recipe.name}' on {len(rows.fit)} messages ({len(rows.holdout)} held out)")
    with registry.run(recipe.name, tags={"taxonomy": load_taxonomy().version}) as run:
        _log_inputs(run, recipe, rows)
        folder = var_dir() / "bundles" / f"run-{run.id}"
        trained = train_bundle(rows.fit, rows.holdout, recipe, folder, commit(), (ProgressPrinter(say),))
        _log_curve(run, trained)
        say(f"evaluating on {len(rows.test)} test messages")
        found, verdict = assess(folder, rows.test)
        run.log_metrics(found)
        run.log_text("\n".join(verdict.reasons) or "passed", "gate.txt")
        version = registry.register(run, folder, {"recipe": recipe.name, "gate": _verdict_tag(verdict)})
    say(f"registered as version {version} (challenger), macro-F1 {found['macro_f1']:.3f} on the test messages")
    return NewVersion(registry.find(version), folder, found, verdict)


def assess(folder: Path, rows: list[LabelledMessage]) -> tuple[dict[str, float], Verdict]:
    """Return a bundle's figures on `rows` and the gate's verdict against the champion on the same rows."""
    challenger = examine(Predictor(folder), rows)
    return challenger.figures(), check_gate(challenger, _champion_examined(rows), load_gate())


def promote_version(
    registry: Registry, version: Version, say: Say, action: str = "promote", reason: str = ""
) -> Champion:
    """Publish a version's bundle behind the champion's pointer, then move the registry's alias to it."""
    champion = publish(registry.fetch(version), version.version, published_dir(), action=action, reason=reason)
    registry.point(CHAMPION, version.version)
    say(f"version {version.version} is the champion now ({champion.folder})")
    return champion


def _champion_examined(rows: list[LabelledMessage]) -> Candidate | None:
    """Return the champion examined on the same rows, or None where there is none or it speaks another taxonomy."""
    champion = read_champion(published_dir())
    if champion is None:
        return None
    try:
        return examine(Predictor(published_dir() / champion.folder), rows)
    except BundleError:
        return None


def _log_inputs(run: Run, recipe: Recipe, rows: TrainingSet) -> None:
    run.log_params({**recipe.model_dump(), **{f"rows_{name}": count for name, count in rows.sizes.items()}})
    run.log_text(recipe.model_dump_json(indent=1), "recipe.json")
    run.log_data("training-set", rows.fingerprint, rows.sizes)


def _log_curve(run: Run, trained: Trained) -> None:
    for record in trained.history:
        step = int(record.get("step", 0))
        run.log_metrics({f"train_{name}": value for name, value in record.items() if name != "step"}, step=step)
    run.log_params({"temperature": trained.info.calibration.temperature, "thresholds": trained.info.thresholds.auto})


def _verdict_tag(verdict: Verdict) -> str:
    return "passed" if verdict.passed else "failed: " + "; ".join(verdict.reasons)[:400]
