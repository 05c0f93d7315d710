"""A model as the gate and the report see it: its answers on the test rows, and its behaviour."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.messages import LabelledMessage
from evaluation.behaviour.run import Outcome, failure_rates, run_suites
from evaluation.score import Scored, figures, score
from training.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model's answers on the current test rows, and the outcome of every behaviour suite."""

    scored: Scored
    behaviour: Sequence[Outcome] = ()

    def figures(self) -> dict[str, float]:
        """Return every single-number figure, failure rates of behaviour included, by its name in the registry."""
        rates = {f"behaviour_{name}": rate for name, (rate, _) in failure_rates(self.behaviour).items()}
        return figures(self.scored) | rates


def examine(predictor: Predictor, rows: Sequence[LabelledMessage]) -> Candidate:
    """Return a predictor scored on the rows and run through every behaviour suite."""
    return Candidate(score(predictor, rows), run_suites(predictor))
