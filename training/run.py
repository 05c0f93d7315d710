"""One training from labelled messages to a sealed bundle; knows nothing of MLflow, evaluation or promotion."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from transformers import TrainerCallback

from configs.errors import SwitchboardError
from configs.recipe import Recipe
from configs.taxonomy import Taxonomy, load_taxonomy
from data.messages import LabelledMessage
from training.answers import Answers, calibrate_on
from training.bundle import BundleInfo, read_info, verify
from training.card import write_card
from training.examples import Example, as_examples
from training.export import export_bundle
from training.finetune import FineTuned
from training.inference import network_logits
from training.parts import fingerprint
from training.setup import Setup, make_ready

_CURVE = "curve.json"


@dataclass(frozen=True, slots=True)
class Trained:
    """A sealed bundle, what it was calibrated to, and the curve of its training."""

    bundle: Path
    info: BundleInfo
    history: list[dict[str, float]]


@dataclass(frozen=True, slots=True)
class Learnt:
    """A trained network, its answers on rows it did not see, and the class mix (L,) it was taught."""

    tuned: FineTuned
    answers: Answers
    seen: np.ndarray


def train_bundle(
    fit: Sequence[LabelledMessage], holdout: Sequence[LabelledMessage], recipe: Recipe, folder: Path, commit: str,
    callbacks: tuple[TrainerCallback, ...] = (), *, weights: Sequence[float] = (), work: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Trained:  # fmt: skip
    """Fine-tune, calibrate on the held-out rows and export to `folder`.

    What a resumed run needs lies in `work` until the bundle is sealed; a bundle that is there already is the answer.
    """
    work = work or folder.parent / f".{folder.name}-work"
    if folder.is_dir():
        verify(folder)
        return Trained(folder, read_info(folder), json.loads((work / _CURVE).read_text(encoding="utf-8")))
    setup = make_ready(recipe)
    learnt = learn(setup, as_examples(fit, weights), holdout, work, callbacks, say)
    history = learnt.tuned.history
    (work / _CURVE).write_text(json.dumps(history), encoding="utf-8")
    info = _describe(setup, learnt, fingerprint([*fit, *holdout]), commit)
    golden = [example for segment in setup.taxonomy.segments for example in segment.examples]
    card = write_card(info, len(fit), len(holdout))
    export_bundle(learnt.tuned.model, setup.tokenizer, info, golden, card, folder)
    return Trained(folder, info, history)


def learn(
    setup: Setup, examples: Sequence[Example], holdout: Sequence[LabelledMessage], work: Path,
    callbacks: tuple[TrainerCallback, ...] = (), say: Callable[[str], None] = lambda line: None,
) -> Learnt:  # fmt: skip
    """Return a trained network with its answers on the held-out rows."""
    check_rows([example.row for example in examples], holdout, setup.taxonomy)
    work.mkdir(parents=True, exist_ok=True)
    rows = setup.tokenised(as_examples(holdout))
    tuned = setup.fine_tuned(examples, rows, work / "checkpoints", callbacks)
    answers = Answers(holdout, *network_logits(tuned.model, setup.tokenizer, rows))
    return Learnt(tuned, answers, seen_mix(setup, examples))


def seen_mix(setup: Setup, examples: Sequence[Example]) -> np.ndarray:
    """Return how much of each label the examples teach, (L,)."""
    rows = setup.tokenised(examples)
    return (np.array(rows["targets"]) * np.array(rows["weight"])[:, None]).sum(axis=0)


def check_rows(fit: Sequence[LabelledMessage], holdout: Sequence[LabelledMessage], taxonomy: Taxonomy) -> None:
    """Raise unless every label has a row to fit and a row to hold out."""
    for name, rows in (("to fit", fit), ("to hold out", holdout)):
        missing = [label for label in taxonomy.labels if all(row.label != label for row in rows)]
        if missing:
            raise SwitchboardError(f"no rows {name} for {', '.join(missing)}; label some messages of each first")


def _describe(setup: Setup, learnt: Learnt, data: str, commit: str) -> BundleInfo:
    taxonomy, recipe = load_taxonomy(), setup.recipe
    calibration, thresholds = calibrate_on(learnt.answers, learnt.seen, recipe, taxonomy)
    now = datetime.now(UTC)
    return BundleInfo(
        name=f"{recipe.name}-{now:%Y%m%d-%H%M%S}", created=now.isoformat(timespec="seconds"), labels=taxonomy.labels,
        taxonomy_version=taxonomy.version, max_tokens=recipe.max_tokens, calibration=calibration, thresholds=thresholds,
        base_model=recipe.base_model, base_digest=setup.base_digest, data_fingerprint=data, commit=commit,
        recipe=recipe.model_dump(),
    )  # fmt: skip


def discard(work: Path) -> None:
    """Remove what only a resumed run would need."""
    shutil.rmtree(work, ignore_errors=True)
