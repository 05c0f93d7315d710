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
from configs.taxonomy import Taxonomy, load_taxonomy
from data.clean import clean
from data.messages import LabelledMessage
from training.answers import Answers, calibrate_on
from training.archive import (
    Archive,
    load_examples,
    save_examples,
    taught_by,
    taught_by_bundle,
    unlabelled_examples,
)
from training.bundle import BundleInfo, read_info, verify
from training.card import write_card
from training.distil import distil_once
from training.examples import Example, as_examples, targets_of
from training.export import export_network, write_bundle
from training.few import choose_method, folds_of, learn_from_few, rarest
from training.finetune import FineTuned
from training.inference import network_logits
from training.opinions import with_opinions
from training.parts import fingerprint
from training.precision import CALIBRATING, Exported, choose_precision
from training.processes import is_first
from training.setup import Setup, make_ready
from training.warm import is_mixed, keep_network, learn_beside_seed

Say = Callable[[str], None]
_CURVE = "curve.json"


@dataclass(frozen=True, slots=True)
class Trained:
    """A sealed bundle, what it was calibrated to, how it was learnt and the curve of that."""

    bundle: Path
    info: BundleInfo
    history: list[dict[str, float]]
    method: str


@dataclass(frozen=True, slots=True)
class Learnt:
    """A trained network, the rows held out from it, the class mix (L,) it was taught, and the method.

    `answers` on those rows are given where the network itself saw them, by others like it that did not; `archive` is
    what it learnt from without labels.
    """

    tuned: FineTuned
    held: Sequence[LabelledMessage]
    seen: np.ndarray
    method: str
    answers: Answers | None = None
    archive: Archive | None = None


def train_bundle(
    fit: Sequence[LabelledMessage], holdout: Sequence[LabelledMessage], recipe: Recipe, folder: Path, commit: str,
    callbacks: tuple[TrainerCallback, ...] = (), *, weights: Sequence[float] = (), archive: Archive | None = None,
    work: Path | None = None, say: Say = lambda line: None,
) -> Trained:  # fmt: skip
    """Learn, calibrate on rows not learnt from, and export to `folder`.

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
    info = seal_learnt(setup, learnt, examples, holdout, folder, commit, work, say)
    return Trained(folder, info, learnt.tuned.history, learnt.method)


def seal_learnt(
    setup: Setup, learnt: Learnt, examples: Sequence[Example], holdout: Sequence[LabelledMessage], folder: Path,
    commit: str, work: Path, say: Say = lambda line: None,
) -> BundleInfo:  # fmt: skip
    """Distil what was learnt where the recipe asks for it, export it, calibrate it and seal it to `folder`."""
    learnt = _distilled(setup, learnt, examples, work, say)
    golden = [example for segment in setup.taxonomy.segments for example in segment.examples]
    exported = _export(setup, learnt, examples, golden, work, say)
    data = fingerprint([*(example.row for example in examples), *holdout])
    info = _describe(setup, learnt, exported, data, commit)
    write_bundle(exported.path, setup.tokenizer, info, golden, write_card(info, len(examples), len(holdout)), folder)
    return info


def follow(
    fit: Sequence[LabelledMessage], holdout: Sequence[LabelledMessage], recipe: Recipe, work: Path,
    weights: Sequence[float] = (), archive: Archive | None = None,
) -> None:  # fmt: skip
    """Do another process' share of the training that the first process makes a bundle of."""
    setup = make_ready(recipe)
    learn(setup, with_opinions(as_examples(fit, weights), setup), holdout, work, (), archive)


def learn(
    setup: Setup, examples: Sequence[Example], holdout: Sequence[LabelledMessage], work: Path,
    callbacks: tuple[TrainerCallback, ...] = (), archive: Archive | None = None, say: Say = lambda line: None,
) -> Learnt:  # fmt: skip
    """Return a network trained by the method that suits the amount of data, taught by an archive too if given.

    Where a smaller network is to be distilled, an archive without a teacher of its own is kept for that: it gains there,
    which labels of the network's own do not (benchmarks/RESULTS.md), and `say` is told so.
    """
    work.mkdir(parents=True, exist_ok=True)
    if archive is None or (setup.recipe.distils and archive.teacher is None):
        return replace(_learn_labelled(setup, examples, holdout, work / "student", callbacks, say), archive=archive)
    every = [*examples, *as_examples(holdout)]
    method, taught = _taught(setup, examples, holdout, archive, work, callbacks, say)
    if method == "contrastive":
        folds = folds_of(every, setup)
        examples = [one for one, fold in zip(every, folds, strict=True) if fold]
        holdout = [one.row for one, fold in zip(every, folds, strict=True) if not fold]
    more = [*examples, *taught]
    if is_mixed(more):
        learnt = _beside_seed(setup, more, holdout, work / "student", callbacks, say)
    else:
        learnt = _fine_tune(setup, more, holdout, work / "student", callbacks)
    return replace(learnt, archive=archive)


def _learn_labelled(
    setup: Setup, examples: Sequence[Example], holdout: Sequence[LabelledMessage], folder: Path,
    callbacks: tuple[TrainerCallback, ...], say: Say,
) -> Learnt:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    least, method = rarest(examples, setup), choose_method(examples, setup)
    say(f"method {method}: the rarest label has {least} rows, few are under {setup.recipe.few_labels}")
    if method == "fine_tune":
        if is_mixed(examples):
            return _beside_seed(setup, examples, holdout, folder, callbacks, say)
        return _fine_tune(setup, examples, holdout, folder, callbacks)
    every = [*examples, *as_examples(holdout)]
    tuned, answers = learn_from_few(setup, every, folder)
    even = np.ones(len(setup.taxonomy.labels))  # its regression balances the labels, whatever their mix
    return Learnt(tuned, answers.rows, even, "contrastive", answers)


def _fine_tune(
    setup: Setup, examples: Sequence[Example], holdout: Sequence[LabelledMessage], folder: Path,
    callbacks: tuple[TrainerCallback, ...],
) -> Learnt:  # fmt: skip
    check_rows([example.row for example in examples], holdout, setup.taxonomy)
    tuned = setup.fine_tuned(examples, setup.tokenised(as_examples(holdout)), folder / "checkpoints", callbacks)
    keep_network(setup, examples, tuned)
    return Learnt(tuned, holdout, seen_mix(setup, examples), "fine_tune")


def _beside_seed(
    setup: Setup, examples: Sequence[Example], holdout: Sequence[LabelledMessage], folder: Path,
    callbacks: tuple[TrainerCallback, ...], say: Say,
) -> Learnt:  # fmt: skip
    check_rows([example.row for example in examples], holdout, setup.taxonomy)
    rows = setup.tokenised(as_examples(holdout))
    tuned, learnt = learn_beside_seed(setup, examples, rows, folder, callbacks, say)
    return Learnt(tuned, holdout, seen_mix(setup, learnt), "adapt")


def _taught(
    setup: Setup, examples: Sequence[Example], holdout: Sequence[LabelledMessage], archive: Archive, work: Path,
    callbacks: tuple[TrainerCallback, ...], say: Say,
) -> tuple[str, list[Example]]:  # fmt: skip
    """Return the method that suits the labels, and the archive's messages as the archive's teacher answers them.

    Without a teacher that is the network of the labels. Of labels so few that one learnt them by contrast, the student
    leaves the first of its folds unseen: that has each label, which a share of them held out by chance need not have.
    """
    path, known = work / "taught.jsonl", [*(one.row for one in examples), *holdout]
    if archive.teacher is not None:
        method = choose_method(examples, setup)
        taught = load_examples(path) if path.exists() else taught_by_bundle(archive.teacher, known, archive, setup, say)
    else:
        say("an archive beside labels lost 1.4 to 1.8 points of macro-F1 when measured; it gains by teacher=VERSION")
        own = _learn_labelled(setup, examples, holdout, work / "teacher", callbacks, say)
        method = own.method
        taught = load_examples(path) if path.exists() else _by_own(setup, own, known, archive, say)
    if is_first() and not path.exists():
        save_examples(taught, path)
    return method, taught


def _by_own(setup: Setup, own: Learnt, known: Sequence[LabelledMessage], archive: Archive, say: Say) -> list[Example]:
    answers = own.answers
    if answers is None:
        held = setup.tokenised(as_examples(own.held))
        answers = Answers(own.held, *network_logits(own.tuned.model, setup.tokenizer, held))
    calibration, _ = calibrate_on(answers, own.seen, setup.recipe, setup.taxonomy)
    return taught_by(own.tuned.model, calibration, known, archive, setup, say)


def seen_mix(setup: Setup, examples: Sequence[Example]) -> np.ndarray:
    """Return how much of each label the examples teach, (L,)."""
    targets, _, weights = targets_of(examples, setup.taxonomy.labels, setup.recipe.second_share)
    return (targets * weights[:, None]).sum(axis=0)


def check_rows(fit: Sequence[LabelledMessage], holdout: Sequence[LabelledMessage], taxonomy: Taxonomy) -> None:
    """Raise unless every label has a row to fit and a row to hold out."""
    for name, rows in (("to fit", fit), ("to hold out", holdout)):
        missing = [label for label in taxonomy.labels if all(row.label != label for row in rows)]
        if missing:
            raise SwitchboardError(f"no rows {name} for {', '.join(missing)}; label some messages of each first")


def _distilled(setup: Setup, learnt: Learnt, examples: Sequence[Example], work: Path, say: Say) -> Learnt:
    """Return what was learnt in a smaller network, where the recipe asks for that; an archive shows it more texts."""
    if not setup.recipe.distils:
        return learnt
    if learnt.method == "contrastive":
        raise SwitchboardError("so few labels are too few to distil from; leave layers and neurons out")
    shown = list(examples)
    if learnt.archive is not None:
        known = [*(example.row for example in examples), *learnt.held]
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
    some = examples[:: max(1, len(examples) // CALIBRATING)]
    seen, held = (setup.tokenised(part)["input_ids"] for part in (some, as_examples(rows)))
    measured = work / "precision.json"
    exported = choose_precision(setup.recipe.precision, path, list(seen), list(held), rows, setup.taxonomy, measured)
    say(f"precision {exported.precision}" + (f": {exported.check.told()}" if exported.check else ""))
    return exported


def _describe(setup: Setup, learnt: Learnt, exported: Exported, data: str, commit: str) -> BundleInfo:
    taxonomy, recipe = load_taxonomy(), setup.recipe
    answers = learnt.answers or Answers(learnt.held, exported.logits, exported.doubt)
    calibration, thresholds = calibrate_on(answers, learnt.seen, recipe, taxonomy)
    now = datetime.now(UTC)
    return BundleInfo(
        name=f"{recipe.name}-{now:%Y%m%d-%H%M%S}", created=now.isoformat(timespec="seconds"), labels=taxonomy.labels,
        taxonomy_version=taxonomy.version, max_tokens=recipe.max_tokens, calibration=calibration, thresholds=thresholds,
        base_model=recipe.base_model, base_digest=setup.base_digest, data_fingerprint=data, commit=commit,
        recipe=recipe.model_dump(), precision=exported.precision, precision_check=exported.check,
    )  # fmt: skip
