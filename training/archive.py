"""Learning from an unlabelled archive: a teacher answers it, and its answers teach the student.

With a stronger model as the teacher that is distillation (Hinton, Vinyals, Dean 2015, arXiv:1503.02531): all its answers
are learnt, as unsure as they are. Without one it is self-training with an agreement filter: the network learnt from the
labels must be sure, and a linear model on word pieces, which fails in other ways, must say the same; no label may take
more than its share of what is kept.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from configs.errors import SwitchboardError
from configs.taxonomy import NONE
from data.clean import clean, is_empty
from data.language import is_unsupported
from data.messages import LabelledMessage, Message, message_id
from data.readers import read_rows
from training.bundle import Calibration
from training.examples import Example
from training.inference import network_logits
from training.model import MessageClassifier
from training.predictor import Predictor
from training.scores import doubt_of, scores_of
from training.setup import Setup

TAUGHT = "taught.jsonl"  # in a training's work folder: the messages and their answers
_MOST_OF_ONE_LABEL = 3.0  # times an even share


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of unlabelled messages; what stands in `kept_out`, the test rows, is not learnt from it.

    `teacher` is the bundle of a stronger model whose answers on them are learnt.
    """

    path: Path
    kept_out: Sequence[LabelledMessage] = ()
    teacher: Path | None = None


def taught_by(
    teacher: MessageClassifier, calibration: Calibration, known: Sequence[LabelledMessage], archive: Archive, setup: Setup,
    say: Callable[[str], None],
) -> list[Example]:  # fmt: skip
    """Return the archive's messages that teacher and linear judge agree on, with the teacher's scores as targets."""
    unlabelled = unlabelled_examples(archive, known, setup)
    texts = [one.row.message.text for one in unlabelled]
    logits, doubt_logits = network_logits(teacher, setup.tokenizer, setup.tokenised(unlabelled))
    scores = scores_of(logits, calibration)
    doubt = doubt_of(doubt_logits, calibration)
    kept = choose(scores, doubt, _second_opinion(known, texts, setup), setup.recipe.archive_confidence)
    say(f"{len(kept)} of {len(texts)} archive messages are agreed on")
    labels = setup.taxonomy.labels
    return [
        Example(LabelledMessage(unlabelled[at].row.message, labels[scores[at].argmax()]), setup.recipe.archive_weight,
                tuple(scores[at].tolist()), float(doubt[at]))
        for at in kept
    ]  # fmt: skip


def taught_by_bundle(
    teacher: Path, known: Sequence[LabelledMessage], archive: Archive, setup: Setup, say: Callable[[str], None]
) -> list[Example]:
    """Return the archive's messages with a bundle's calibrated scores as targets, the less the more it doubts them.

    Each counts like a message of the seed.
    """
    predictor = Predictor(teacher, company=setup.company)
    if predictor.info.labels != setup.taxonomy.labels:
        raise SwitchboardError(
            f"teacher={teacher}: it knows the labels {', '.join(predictor.info.labels)}; name one of this taxonomy"
        )
    unlabelled = unlabelled_examples(archive, known, setup)
    say(f"{predictor.info.name} answers {len(unlabelled)} archive messages, which are learnt from its answers")
    found = predictor.predict([one.row.message.text for one in unlabelled])
    inside = found.scores * (1 - found.doubt[:, None])
    return [
        Example(
            LabelledMessage(one.row.message, setup.taxonomy.labels[row.argmax()]),
            scores=tuple(row.tolist()),
            doubt=float(doubt),
        )
        for one, row, doubt in zip(unlabelled, inside, found.doubt, strict=True)
    ]


def choose(scores: np.ndarray, doubt: np.ndarray, second: np.ndarray, confidence: float) -> list[int]:
    """Return positions where scores (N, L) are sure, doubt (N,) is low and the second opinion (N,) is the same.

    The surest come first; no label takes more than three times an even share of them.
    """
    called, sure = scores.argmax(axis=1), scores.max(axis=1)
    agreed = np.flatnonzero((sure >= confidence) & (doubt < 0.5) & (called == second))
    most = int(np.ceil(_MOST_OF_ONE_LABEL * len(agreed) / scores.shape[1]))
    counts: Counter[int] = Counter()
    kept = []
    for at in sorted(agreed.tolist(), key=lambda at: (-sure[at], at)):
        counts[int(called[at])] += 1
        if counts[int(called[at])] <= most:
            kept.append(at)
    return sorted(kept)


def unlabelled_examples(archive: Archive, known: Sequence[LabelledMessage], setup: Setup) -> list[Example]:
    """Return the archive's messages to learn from, the same ones each time: none known already or kept out.

    Their label says nothing.
    """
    out = {clean(row.message.text, setup.company) for row in (*known, *archive.kept_out)}
    texts = draw_texts(archive.path, setup, out)
    return [Example(LabelledMessage(Message(text, message_id(text), source="archive"), NONE)) for text in texts]


def draw_texts(archive: Path, setup: Setup, known: set[str]) -> list[str]:
    """Return at most `archive_rows` different usable texts, evenly drawn while the file is read once."""
    draw, drawn, most = random.Random(setup.recipe.seed), [], setup.recipe.archive_rows
    for number, text in enumerate(_usable(archive, setup, set(known))):
        if len(drawn) < most:
            drawn.append(text)
        elif (place := draw.randint(0, number)) < most:
            drawn[place] = text
    if not drawn:
        raise SwitchboardError(
            f"{archive}: no message in it can be learnt from (empty, unknown language or known already)"
        )
    return drawn


def _usable(archive: Path, setup: Setup, seen: set[str]) -> Iterator[str]:
    for row in read_rows(archive):
        text = row.fields.get("text")
        if row.error or not isinstance(text, str):
            continue
        cleaned = clean(text, setup.company)
        if cleaned in seen or is_empty(cleaned) or is_unsupported(cleaned):
            continue
        seen.add(cleaned)
        yield text


def _second_opinion(known: Sequence[LabelledMessage], texts: Sequence[str], setup: Setup) -> np.ndarray:
    """Return the label ids (N,) that a linear model on word pieces gives to texts."""
    inside = [row for row in known if row.label != NONE]
    judge = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2),
        LogisticRegression(max_iter=300, C=10.0, class_weight="balanced"),
    )
    judge.fit([clean(row.message.text, setup.company) for row in inside], [row.label for row in inside])
    found = judge.predict([clean(text, setup.company) for text in texts])
    return np.array([setup.taxonomy.labels.index(label) for label in found])


def save_examples(examples: Sequence[Example], path: Path) -> None:
    """Keep examples for a resumed run; the file is there whole or not at all."""
    waiting = path.with_suffix(".tmp")
    with waiting.open("w", encoding="utf-8") as file:
        for one in examples:
            kept = [one.row.message.text, one.row.message.id, one.row.label, one.weight, one.scores, one.doubt]
            file.write(json.dumps(kept) + "\n")
    waiting.replace(path)


def load_examples(path: Path) -> list[Example]:
    """Return the examples that were kept."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text, key, label, weight, scores, doubt = json.loads(line)
        found.append(
            Example(LabelledMessage(Message(text, key, source="archive"), label), weight, tuple(scores), doubt)
        )
    return found


def taught_rows(work: Path) -> list[LabelledMessage]:
    """Return the archive's messages that a training learnt from answers, or whose answers calibrate it, if any."""
    path = work / TAUGHT
    return [one.row for one in load_examples(path)] if path.exists() else []
