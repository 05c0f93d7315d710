"""Learning a network from labelled messages, and from an unlabelled archive, by the method that suits their number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from transformers.trainer_callback import TrainerCallback

from configs.errors import SwitchboardError
from configs.taxonomy import Taxonomy
from data.messages import LabelledMessage
from training.answers import Answers, calibrate_on
from training.archive import TAUGHT, Archive, load_examples, save_examples, taught_by, taught_by_bundle
from training.examples import Example, as_examples, targets_of
from training.few import choose_method, folds_of, learn_from_few, rarest
from training.finetune import FineTuned
from training.inference import network_logits
from training.processes import is_first
from training.setup import Setup
from training.warm import is_mixed, keep_network, learn_beside_seed

Say = Callable[[str], None]
TAUGHT_EPOCHS = 2  # over what a teacher answered: four gained nothing (docs/decisions/0002)
UNSEEN_EACH, LEAST_UNSEEN = 10, 100  # of what a teacher answered, each tenth calibrates where those are so many


@dataclass(frozen=True, slots=True)
class Learnt:
    """A trained network, the rows held out from it, the class mix (L,) it was taught, and the method.

    `answers` on those rows are given where the network itself saw them, by others like it that did not; `archive` is
    what it learnt from without labels, and `unseen` those of it that its teacher answered and the network did not learn.
    """

    tuned: FineTuned
    held: Sequence[LabelledMessage]
    seen: np.ndarray
    method: str
    answers: Answers | None = None
    archive: Archive | None = None
    unseen: Sequence[Example] = ()


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
    unseen = taught[::UNSEEN_EACH] if archive.teacher and len(taught) >= UNSEEN_EACH * LEAST_UNSEEN else []
    left_out = {one.row.message.id for one in unseen}
    more = [*examples, *(one for one in taught if one.row.message.id not in left_out)]
    if is_mixed(more):
        if archive.teacher:
            epochs = min(TAUGHT_EPOCHS, setup.recipe.adapt_epochs)
            setup = replace(setup, recipe=setup.recipe.model_copy(update={"adapt_epochs": epochs}))
        learnt = _beside_seed(setup, more, holdout, work / "student", callbacks, say)
    else:
        learnt = _fine_tune(setup, more, holdout, work / "student", callbacks)
    return replace(learnt, archive=archive, unseen=unseen)


def _learn_labelled(
    setup: Setup, examples: Sequence[Example], holdout: Sequence[LabelledMessage], folder: Path,
    callbacks: tuple[TrainerCallback, ...], say: Say,
) -> Learnt:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    method = _say_method(examples, setup, say)
    if method == "fine_tune":
        if is_mixed(examples):
            return _beside_seed(setup, examples, holdout, folder, callbacks, say)
        return _fine_tune(setup, examples, holdout, folder, callbacks)
    every = [*examples, *as_examples(holdout)]
    tuned, answers = learn_from_few(setup, every, folder)
    even = np.ones(len(setup.taxonomy.labels))  # its regression balances the labels, whatever their mix
    return Learnt(tuned, answers.rows, even, "contrastive", answers)


def _say_method(examples: Sequence[Example], setup: Setup, say: Say) -> str:
    method = choose_method(examples, setup)
    say(
        f"method {method}: the rarest label has {rarest(examples, setup)} rows, few are under {setup.recipe.few_labels}"
    )
    return method


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
    path, known = work / TAUGHT, [*(one.row for one in examples), *holdout]
    if archive.teacher is not None:
        method = _say_method(examples, setup, say)
        taught = load_examples(path) if path.exists() else taught_by_bundle(archive.teacher, known, archive, setup, say)
    else:
        say(
            "what a network answers itself lost 1.4 to 1.8 points of macro-F1 when measured; a stronger one gains: teacher=VERSION"
        )
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
