"""One training from labelled messages to a sealed bundle; knows nothing of MLflow, evaluation or promotion."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from transformers.trainer_callback import TrainerCallback

from configs.errors import SwitchboardError
from configs.recipe import Recipe
from configs.taxonomy import load_taxonomy
from data.clean import clean
from data.messages import LabelledMessage
from training.answers import Answers, Taught, calibrate_on
from training.archive import Archive, unlabelled_examples
from training.bundle import BundleInfo, read_info, verify
from training.card import write_card
from training.distil import distil_once
from training.encoder import file_digest
from training.examples import Example, as_examples
from training.export import export_network, write_bundle
from training.learn import Learnt, learn
from training.opinions import with_opinions
from training.parts import fingerprint
from training.precision import CALIBRATING, CHECKED, Exported, choose_precision
from training.predictor import Network
from training.setup import Setup, make_ready

Say = Callable[[str], None]
_CURVE = "curve.json"


@dataclass(frozen=True, slots=True)
class Trained:
    """A sealed bundle, what it was calibrated to, how it was learnt and the curve of that."""

    bundle: Path
    info: BundleInfo
    history: list[dict[str, float]]
    method: str


def train_bundle(
    fit: Sequence[LabelledMessage], holdout: Sequence[LabelledMessage], recipe: Recipe, folder: Path, commit: str,
    callbacks: tuple[TrainerCallback, ...] = (), *, weights: Sequence[float] = (), archive: Archive | None = None,
    work: Path | None = None, say: Say = lambda line: None, beside: Sequence[LabelledMessage] = (),
) -> Trained:  # fmt: skip
    """Learn, calibrate on rows not learnt from, those `beside` and the held-out ones, and export to `folder`.

    What a resumed run needs lies in `work` until the bundle is sealed; a bundle that is there already is the answer.
    """
    work = work or folder.parent / f".{folder.name}-work"
    if folder.is_dir():
        verify(folder)
        return Trained(folder, read_info(folder), **json.loads((work / _CURVE).read_text(encoding="utf-8")))
    setup = make_ready(recipe)
    examples = with_opinions(as_examples(fit, weights), setup)
    learnt = learn(setup, examples, holdout, work, callbacks, archive, say)
    curve = {"history": learnt.tuned.history, "method": learnt.method}
    (work / _CURVE).write_text(json.dumps(curve), encoding="utf-8")
    info = seal_learnt(setup, learnt, examples, holdout, folder, commit, work, say, beside)
    return Trained(folder, info, learnt.tuned.history, learnt.method)


def seal_learnt(
    setup: Setup, learnt: Learnt, examples: Sequence[Example], holdout: Sequence[LabelledMessage], folder: Path,
    commit: str, work: Path, say: Say = lambda line: None, beside: Sequence[LabelledMessage] = (),
) -> BundleInfo:  # fmt: skip
    """Distil what was learnt where the recipe asks for it, export it, calibrate it and seal it to `folder`."""
    learnt = _distilled(setup, learnt, examples, work, say)
    golden = [example for segment in setup.taxonomy.segments for example in segment.examples]
    exported = _export(setup, learnt, examples, golden, work, say)
    data = fingerprint([*(example.row for example in examples), *holdout])
    info = _describe(setup, learnt, exported, beside, data, commit)
    write_bundle(exported.path, setup.tokenizer, info, golden, write_card(info, len(examples), len(holdout)), folder)
    return info


def follow(
    fit: Sequence[LabelledMessage], holdout: Sequence[LabelledMessage], recipe: Recipe, work: Path,
    weights: Sequence[float] = (), archive: Archive | None = None,
) -> None:  # fmt: skip
    """Do another process' share of the training that the first process makes a bundle of."""
    setup = make_ready(recipe)
    learn(setup, with_opinions(as_examples(fit, weights), setup), holdout, work, (), archive)


def _distilled(setup: Setup, learnt: Learnt, examples: Sequence[Example], work: Path, say: Say) -> Learnt:
    """Return what was learnt in a smaller network, where the recipe asks for that; an archive shows it more texts."""
    if not setup.recipe.distils:
        return learnt
    if learnt.method == "contrastive":
        raise SwitchboardError("so few labels are too few to distil from; leave layers and neurons out")
    shown = list(examples)
    if learnt.archive is not None:
        known = [*(example.row for example in (*examples, *learnt.unseen)), *learnt.held]
        shown += unlabelled_examples(learnt.archive, known, setup)
    tokens = list(setup.tokenised(shown)["input_ids"])
    student = distil_once(
        learnt.tuned.model, setup.tokenizer, tokens, setup.recipe, work / "distilled.safetensors", say
    )
    return replace(learnt, tuned=replace(learnt.tuned, model=student))


def _export(
    setup: Setup, learnt: Learnt, examples: Sequence[Example], golden: Sequence[str], work: Path, say: Say
) -> Exported:
    """Return the network in ONNX, in the precision that the recipe asks for or that pays."""
    path, rows = work / "fp32.onnx", learnt.held
    texts = [clean(text, setup.company) for text in golden]
    export_network(learnt.tuned.model, setup.tokenizer, texts, setup.recipe.max_tokens, path)
    some, more = _evenly(examples, CALIBRATING), _evenly(examples, CHECKED - len(rows))
    checked = [*rows, *(one.row for one in more)]
    seen, held = (setup.tokenised(part)["input_ids"] for part in (some, as_examples(checked)))
    measured = work / "precision.json"
    exported = choose_precision(setup.recipe.precision, path, list(seen), list(held), checked, setup.taxonomy, measured)
    say(f"precision {exported.precision}" + (f": {exported.check.told()}" if exported.check else ""))
    return replace(exported, logits=exported.logits[: len(rows)], doubt=exported.doubt[: len(rows)])


def _evenly(examples: Sequence[Example], count: int) -> Sequence[Example]:
    return examples[:: max(1, len(examples) // count)][:count] if count > 0 else ()


def _describe(
    setup: Setup, learnt: Learnt, exported: Exported, beside: Sequence[LabelledMessage], data: str, commit: str
) -> BundleInfo:
    taxonomy, recipe = load_taxonomy(), setup.recipe
    answers = learnt.answers or Answers(learnt.held, exported.logits, exported.doubt)
    more = Answers(beside, *_answered(setup, as_examples(beside), exported)) if beside else None
    unseen = learnt.unseen
    stream = Taught(_answered(setup, unseen, exported)[0], np.array([one.scores for one in unseen])) if unseen else None
    calibration, thresholds = calibrate_on(answers, learnt.seen, recipe, taxonomy, stream, more)
    now = datetime.now(UTC)
    return BundleInfo(
        name=f"{recipe.name}-{now:%Y%m%d-%H%M%S}", created=now.isoformat(timespec="seconds"), labels=taxonomy.labels,
        taxonomy_version=taxonomy.version, max_tokens=recipe.max_tokens, calibration=calibration, thresholds=thresholds,
        base_model=recipe.base_model, base_digest=setup.base_digest, data_fingerprint=data, commit=commit,
        archive=file_digest(learnt.archive.path) if learnt.archive else "", teacher=_name_teacher(learnt.archive),
        recipe=recipe.model_dump(), precision=exported.precision, precision_check=exported.check,
    )  # fmt: skip


def _name_teacher(archive: Archive | None) -> str:
    if archive is None or archive.teacher is None:
        return ""
    return f"{read_info(archive.teacher).name} ({verify(archive.teacher)[:12]})"


def _answered(setup: Setup, examples: Sequence[Example], exported: Exported) -> tuple[np.ndarray, np.ndarray]:
    return Network(exported.path).logits(list(setup.tokenised(examples)["input_ids"]))
