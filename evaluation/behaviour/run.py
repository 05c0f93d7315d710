"""Running behaviour suites on a predictor: every text once, in one batch, then a verdict on each case."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.clean import clean
from evaluation.behaviour.cases import REVIEW, Kind, Suite, load_suites
from evaluation.intervals import wilson
from training.policy import Judgement, judge
from training.predictor import Predictor

RULES = "rules"  # minimum suites are too small alone: in the gate they count together


@dataclass(frozen=True, slots=True)
class Answer:
    """The scores of one text and what was decided on it."""

    scores: np.ndarray
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Failure:
    """A text that did not do what it had to; `plain` is what it was compared with, if anything."""

    text: str
    plain: str
    wanted: str
    found: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A suite with the number of its checks and those that failed."""

    name: str
    kind: Kind
    says: str
    checks: int
    failures: tuple[Failure, ...]

    @property
    def rate(self) -> float:
        """The share of checks that failed."""
        return len(self.failures) / self.checks

    @property
    def interval(self) -> tuple[float, float]:
        """The rate's 95% interval."""
        return wilson(len(self.failures), self.checks)


def run_suites(predictor: Predictor, suites: Sequence[Suite] | None = None) -> list[Outcome]:
    """Return the outcome of every suite on a predictor."""
    suites = load_suites() if suites is None else suites
    texts = list(dict.fromkeys(text for suite in suites for forms in suite.forms() for text in forms))
    answers = _answer(predictor, texts)
    return [_check(suite, answers, predictor.info.labels) for suite in suites]


def failure_rates(outcomes: Sequence[Outcome]) -> dict[str, tuple[float, int]]:
    """Return failure rate and number of checks by suite, with the rules of the codebook counted together."""
    rates = {one.name: (one.rate, one.checks) for one in outcomes if one.kind != "minimum"}
    rules = [one for one in outcomes if one.kind == "minimum"]
    checks = sum(one.checks for one in rules)
    if checks:
        rates[RULES] = (sum(len(one.failures) for one in rules) / checks, checks)
    return rates


def _answer(predictor: Predictor, texts: Sequence[str]) -> dict[str, Answer]:
    cleaned = [clean(text, predictor.company) for text in texts]
    found = predictor.predict_cleaned(cleaned)
    judged = (judge(*one, predictor.info) for one in zip(cleaned, found.scores, map(float, found.doubt), strict=True))
    return dict(zip(texts, map(Answer, found.scores, judged), strict=True))


def _check(suite: Suite, answers: Mapping[str, Answer], labels: Sequence[str]) -> Outcome:
    checks = 0
    failures = []
    for forms in suite.forms():
        for failure in _checks(suite, forms, answers, labels):
            checks += 1
            failures += [failure] if failure else []
    return Outcome(suite.name, suite.kind, suite.says, checks, tuple(failures))


def _checks(
    suite: Suite, forms: Sequence[str], answers: Mapping[str, Answer], labels: Sequence[str]
) -> Iterator[Failure | None]:
    plain, *others = forms
    if suite.kind == "minimum":
        for text in forms:
            yield _minimum(text, answers[text].judgement, suite.expect)
    for text in others:
        if suite.kind == "direction":
            yield _direction(text, plain, answers, labels.index(suite.toward), suite.toward)
        elif suite.kind != "minimum":
            yield _same(text, plain, answers, suite.max_shift)


def _minimum(text: str, found: Judgement, expect: Sequence[str]) -> Failure | None:
    fits = found.label in expect or (REVIEW in expect and found.outcome == REVIEW)
    return None if fits else Failure(text, "", " or ".join(expect), _describe(found))


def _direction(text: str, plain: str, answers: Mapping[str, Answer], position: int, toward: str) -> Failure | None:
    before, after = float(answers[plain].scores[position]), float(answers[text].scores[position])
    if after > before or answers[text].judgement.label == toward:
        return None
    return Failure(text, plain, f"more {toward} than {before:.2f}", f"{after:.2f}")


def _same(text: str, plain: str, answers: Mapping[str, Answer], max_shift: float) -> Failure | None:
    before, after = answers[plain], answers[text]
    best = int(before.scores.argmax())
    shift = abs(float(before.scores[best] - after.scores[best]))
    if before.judgement.label == after.judgement.label and shift <= max_shift:
        return None
    return Failure(text, plain, _describe(before.judgement), _describe(after.judgement))


def _describe(found: Judgement) -> str:
    return f"{found.label} {found.confidence:.2f}"
