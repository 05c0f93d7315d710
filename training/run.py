"""One training from labelled messages to a sealed bundle; knows nothing of MLflow, evaluation or promotion."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from transformers import AutoTokenizer, PreTrainedTokenizerBase, TrainerCallback

from configs.company import load_company
from configs.errors import SwitchboardError
from configs.playbook import load_playbook
from configs.recipe import Recipe
from configs.taxonomy import NONE, Taxonomy, load_taxonomy
from data.messages import LabelledMessage
from training.bundle import BundleInfo, Calibration, Thresholds
from training.calibration import cost_thresholds, fit_doubt, fit_temperature, mix_of, prior_bias, scores_of
from training.card import write_card
from training.dataset import to_dataset
from training.encoder import base_model_digest, locate_base_model
from training.export import export_bundle
from training.finetune import FineTuned, fine_tune
from training.inference import network_logits
from training.model import MessageClassifier
from training.noise import NoisyRows
from training.parts import fingerprint

OUT_OF_SCOPE_DOUBT = 0.5


@dataclass(frozen=True, slots=True)
class Trained:
    """A sealed bundle, what it was calibrated to, and the curve of its training."""

    bundle: Path
    info: BundleInfo
    history: list[dict[str, float]]


def train_bundle(
    fit: Sequence[LabelledMessage], holdout: Sequence[LabelledMessage], recipe: Recipe, folder: Path, commit: str,
    callbacks: tuple[TrainerCallback, ...] = (),
) -> Trained:  # fmt: skip
    """Fine-tune, calibrate on the held-out rows and export to `folder`; checkpoints lie beside it until the end."""
    taxonomy = load_taxonomy()
    check_rows(fit, holdout, taxonomy)
    base = locate_base_model(recipe.base_model)
    tokenizer = _load_tokenizer(base)
    company = load_company()
    fit_set = to_dataset(fit, tokenizer, taxonomy.labels, recipe, company)
    holdout_set = to_dataset(holdout, tokenizer, taxonomy.labels, recipe, company)
    torch.manual_seed(recipe.seed)
    network = MessageClassifier(base, len(taxonomy.labels), recipe.pooling, recipe.dropout)
    checkpoints = folder.parent / f".{folder.name}-checkpoints"
    noisy = NoisyRows(fit, fit_set, tokenizer, recipe, company) if recipe.noise else None
    tuned = fine_tune(network, tokenizer, fit_set, holdout_set, recipe, checkpoints, callbacks, noisy=noisy)
    info = BundleInfo(
        name=f"{recipe.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        labels=taxonomy.labels,
        taxonomy_version=taxonomy.version,
        max_tokens=recipe.max_tokens,
        calibration=(found := _calibrate(tuned, tokenizer, holdout, holdout_set, fit, recipe, taxonomy))[0],
        thresholds=found[1],
        base_model=recipe.base_model,
        base_digest=base_model_digest(base),
        data_fingerprint=fingerprint([*fit, *holdout]),
        commit=commit,
        recipe=recipe.model_dump(),
    )
    golden = [example for segment in taxonomy.segments for example in segment.examples]
    card = write_card(info, len(fit), len(holdout))
    export_bundle(tuned.model, tokenizer, info, golden, card, folder)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return Trained(folder, info, tuned.history)


def check_rows(fit: Sequence[LabelledMessage], holdout: Sequence[LabelledMessage], taxonomy: Taxonomy) -> None:
    """Raise unless every label has a row to fit and a row to hold out."""
    for name, rows in (("to fit", fit), ("to hold out", holdout)):
        missing = [label for label in taxonomy.labels if all(row.label != label for row in rows)]
        if missing:
            raise SwitchboardError(f"no rows {name} for {', '.join(missing)}; label some messages of each first")


def _load_tokenizer(base: str) -> PreTrainedTokenizerBase:
    try:
        return AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SwitchboardError(f"base_model={base}: cannot be loaded ({reason}); name a folder or a hub id") from None


def _calibrate(
    tuned: FineTuned, tokenizer: PreTrainedTokenizerBase, rows: Sequence[LabelledMessage], tokenised: Dataset,
    fit: Sequence[LabelledMessage], recipe: Recipe, taxonomy: Taxonomy,
) -> tuple[Calibration, Thresholds]:  # fmt: skip
    """Return calibration and thresholds from the held-out rows, weighted to the deployed class mix."""
    labels = taxonomy.labels
    logits, doubt = network_logits(tuned.model, tokenizer, tokenised)
    inside = np.array([row.label != NONE for row in rows])
    true = np.array([labels.index(row.label) for row in rows if row.label != NONE])
    trained = np.bincount([labels.index(row.label) for row in fit if row.label != NONE], minlength=len(labels))
    deployed = mix_of(recipe.deployed_mix, labels) if recipe.deployed_mix else trained / trained.sum()
    bias = prior_bias(_seen_mix(trained, recipe), deployed)
    held = np.bincount(true, minlength=len(labels)) / len(true)
    weights = (deployed / held)[true]
    temperature = fit_temperature(logits[inside], true, weights)
    scale, shift = fit_doubt(doubt, ~inside, recipe.deployed_outside) if (~inside).any() else (1.0, -3.0)
    calibration = Calibration(temperature=temperature, bias=tuple(bias), doubt_scale=scale, doubt_shift=shift)
    scores = scores_of(logits[inside], calibration)
    return calibration, cost_thresholds(scores, true, labels, load_playbook(), OUT_OF_SCOPE_DOUBT)


def _seen_mix(counts: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Return the class mix that the loss saw: counts times class weights."""
    power = {"none": 0.0, "sqrt": 0.5, "inverse": 1.0}[recipe.class_weights]
    return counts.astype(float) ** (1 - power)
