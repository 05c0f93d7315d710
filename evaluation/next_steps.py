"""What to do next: labels that lack data, rows that look mislabelled, how many more labels are worth asking for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.answers import Answers
from evaluation.learning_curve import Curve
from evaluation.metrics import Estimate
from evaluation.score import Scored

ENOUGH_TEST, ENOUGH_FIT = 50, 200  # rows of a label from which its figure, or its training, is steady
WEAK = 0.7


@dataclass(frozen=True, slots=True)
class Lack:
    """A label for which more data should be had, and why."""

    label: str
    f1: Estimate
    fitted: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A test row that looks mislabelled: the model is sure of something else."""

    id: str
    text: str
    label: str
    model_says: str
    quality: float


@dataclass(frozen=True, slots=True)
class NextSteps:
    """The lines of advice, the most useful first, and what they rest on."""

    lines: tuple[str, ...]
    lacks: tuple[Lack, ...]
    suspects: tuple[Suspect, ...]


def advise(
    scored: Scored, named: Mapping[str, Estimate], fitted: Mapping[str, int] | None = None,
    curve: Curve | None = None, rows: int = 0,
) -> NextSteps:  # fmt: skip
    """Return what to do next; `fitted` counts training rows a label, `curve` is fitted up to `rows` of them."""
    lacks = lacking(scored.labels, named, fitted)
    found = suspects(scored)
    lines = [f"Label more {_join([one.label for one in lacks[:3]])}: {lacks[0].why}."] if lacks else []
    if found:
        lines.append(f"Look again at {len(found)} test rows that seem mislabelled; mending them moves every figure.")
    if curve:
        lines.append(_say_curve(curve, rows, [one.label for one in lacks[:3]]))
    return NextSteps(tuple(lines) or ("No label lacks data and no row looks mislabelled.",), tuple(lacks), tuple(found))


def lacking(
    labels: Sequence[str], named: Mapping[str, Estimate], fitted: Mapping[str, int] | None = None
) -> list[Lack]:
    """Return the labels that lack data, the weakest first."""
    found = []
    for label in labels:
        one, count = named[f"f1_{label}"], fitted.get(label, 0) if fitted is not None else None
        reasons = [f"{label} has only {count} training rows"] if count is not None and count < ENOUGH_FIT else []
        if one.support < ENOUGH_TEST:
            reasons.append(f"{label} is judged on {f'only {one.support}' if one.support else 'no'} test rows")
        if one.support and one.value < WEAK:
            reasons.append(f"the F1 of {label} is {one.value:.2f}")
        if reasons:
            found.append(Lack(label, one, count, _join(reasons)))
    return sorted(found, key=lambda one: one.f1.value if one.f1.support else -1.0)


def suspects(scored: Scored, top: int = 20) -> list[Suspect]:
    """Return the rows that confident learning (cleanlab) holds to be mislabelled, the worst first, at most `top`."""
    answers = scored.answers()
    inside = np.flatnonzero(~answers.is_outside)
    if not _learnable(answers.at(inside), len(scored.labels)):
        return []
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    true, scores = answers.true[inside], answers.scores[inside]
    issues = np.asarray(find_label_issues(true, scores, return_indices_ranked_by="self_confidence", n_jobs=1))
    quality = get_label_quality_scores(true, scores)
    found = []
    for place in issues.tolist():
        row = scored.rows[int(inside[place])]
        says = scored.labels[int(scores[place].argmax())]
        if says != row.label and says not in row.second:
            found.append(Suspect(row.message.id, row.message.text, row.label, says, float(quality[place])))
    return found[:top]


def _learnable(inside: Answers, classes: int) -> bool:
    """Return whether every class has rows, as confident learning needs."""
    return len(inside) > 0 and bool((np.bincount(inside.true, minlength=classes) > 0).all())


def _say_curve(curve: Curve, rows: int, lacking: Sequence[str]) -> str:
    more = curve.worth_asking(rows)
    if not more:
        return f"More labels of the same kind bring little: the learning curve flattens at {curve.ceiling:.2f}."
    kind = f", {_join(lacking)} first" if lacking else ""
    return (f"About {more:,} more labels are worth asking for{kind}: macro-F1 is expected to rise from {curve.at(rows):.2f} "
            f"to {curve.at(rows + more):.2f}.")  # fmt: skip


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
