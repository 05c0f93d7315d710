"""The rows of a training: the seed corpus, with a snapshot of a company's own labels where there is one."""

from dataclasses import dataclass
from pathlib import Path

from configs.recipe import Recipe
from data.corpus import read_corpus
from data.messages import LabelledMessage
from training.parts import bucket, fingerprint, seed_parts


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Rows to fit, to hold out and to test on, and a digest of all of them."""

    fit: list[LabelledMessage]
    holdout: list[LabelledMessage]
    test: list[LabelledMessage]
    fingerprint: str

    @property
    def sizes(self) -> dict[str, int]:
        """The number of rows in each part."""
        return {"fit": len(self.fit), "holdout": len(self.holdout), "test": len(self.test)}


def seed_training_set(recipe: Recipe, corpus: Path | None = None) -> TrainingSet:
    """Return the seed corpus in its parts; a recipe with `max_rows` fits that many, the same ones each time."""
    seed = read_corpus(corpus) if corpus else read_corpus()
    fit, holdout, test = seed_parts(row.labelled() for row in seed)
    if recipe.max_rows is not None and len(fit) > recipe.max_rows:
        fit = sorted(fit, key=lambda row: (bucket("quick" + row.message.id), row.message.id))[: recipe.max_rows]
    return TrainingSet(fit, holdout, test, fingerprint([*fit, *holdout, *test]))
