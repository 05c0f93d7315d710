"""Ours: the corpus alone, with real rows, real rows alone, or with an archive too, by the full recipe; and by the large.

An archive is answered by the network itself, or by a stronger model (`--teacher BUNDLE`).

The network of the seed is one for all cells, as it is for all who retrain; what varies is what comes after it.
Where no hub is reached, `python -m training.fetch_encoder` gets the encoder of the large recipe.
"""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.quality.rows import Job, Predict, Rows


def fit(job: Job, rows: Rows) -> Predict:
    """Return the fitted system; it is exported and asked as it is served."""
    from configs.recipe import load_recipe
    from flows.seed_bundle import seed_bundle
    from training.predictor import Predictor
    from training.run import train_bundle

    given = [f"seed={job.seed}" if job.system == "ours_real" else f"adapt_seed={job.seed}"]
    recipe = load_recipe("large" if job.system == "ours_large" else "full", tuple(given))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not rows.rows and job.system != "ours_taught":
            seed_bundle(recipe, folder / "bundle", "benchmark", say=print)
        else:
            found = _rows(job, rows, recipe, folder)
            train_bundle(
                found.fit, found.holdout, recipe, folder / "bundle", "benchmark", weights=found.weights,
                archive=_archive(job), say=print, beside=found.beside,
            )  # fmt: skip
        predictor = Predictor(folder / "bundle")
    return lambda texts: [job.labels[i] for i in predictor.predict(texts).scores.argmax(axis=1)]


def _archive(job: Job):  # noqa: ANN202
    from training.archive import Archive

    if job.system not in {"ours_archive", "ours_taught"}:
        return None
    return Archive(Path(job.archive), teacher=Path(job.teacher) if job.system == "ours_taught" else None)


def _rows(job: Job, rows: Rows, recipe, folder: Path):  # noqa: ANN001, ANN202
    """Return the rows to learn from and to calibrate on; what a customer would test on is fitted here."""
    from data.corpus import SEED_SOURCE
    from flows.training_set import customer_training_set, seed_training_set

    if not rows.rows:
        return seed_training_set(recipe)
    path = folder / "real.jsonl"
    path.write_text(
        "".join(
            json.dumps({"text": row["raw"], "label": row["label"], "second": row["second"]}) + "\n" for row in rows.rows
        )
    )
    found = customer_training_set(recipe, str(path), with_seed=job.system != "ours_real")
    kept_back = [row for row in found.test if row.message.source != SEED_SOURCE]
    weights = (*found.weights, *[found.weights[-1]] * len(kept_back))
    return replace(found, fit=[*found.fit, *kept_back], weights=weights)
