"""Does the chosen order beat a random one? Labels revealed batch by batch, a fast learner fitted after each.

    python benchmarks/active_learning.py ../shared/data/real_train.jsonl ../shared/data/real_dev.jsonl -o OUT

The learner is logistic regression on frozen MiniLM embeddings; macro-F1 over the eight labels on the second file.
Writes curves.csv and curves.png to OUT and prints how many chosen labels reach the score of 600 random ones.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from configs.labeling import Labeling, Mix, load_labeling
from configs.taxonomy import NONE, load_taxonomy
from data.clean import clean
from flows.embedding import embed_texts
from labeling.batch import choose
from labeling.select import Candidates

LABELS = load_taxonomy().labels
FIRST, STEP, LAST = 50, 50, 600
MIXES = {
    "random": None,
    "as configured": (),
    **{
        f"{name} only": tuple(f"mix.{other}={int(other == name)}" for other in Mix.model_fields)
        for name in ("coverage", "uncertain")
    },
}
Curve = list[tuple[int, float]]


def main() -> None:
    """Run every mix with every seed and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("var/benchmarks/active_learning"))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    pool, pool_labels = _read(options.pool)
    test, test_labels = _read(options.test)
    eight = test_labels != NONE
    test, test_labels = test[eight], test_labels[eight]
    curves: dict[str, list[Curve]] = {}
    for name, overrides in MIXES.items():
        labeling = None if overrides is None else load_labeling(overrides)
        curves[name] = [_simulate(pool, pool_labels, test, test_labels, labeling, s) for s in range(options.seeds)]
        print(f"{name:20s} {' '.join(f'{count}:{score:.3f}' for count, score in mean_curve(curves[name]))}", flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    _write(options.output, curves)
    target = dict(mean_curve(curves["random"]))[LAST]
    for name in curves:
        reached = next((count for count, score in mean_curve(curves[name]) if score >= target), None)
        print(f"{name}: {target:.3f} (what {LAST} random labels give) reached with {reached or 'none of these'}")


def mean_curve(curves: list[Curve]) -> Curve:
    """Return the mean over the seeds at each number of labels."""
    return [(points[0][0], float(np.mean([score for _, score in points]))) for points in zip(*curves, strict=True)]


def _simulate(
    pool: np.ndarray, labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray, labeling: Labeling | None, seed: int
) -> Curve:  # fmt: skip
    order = list(np.random.default_rng(seed).permutation(len(pool)))
    known = order[:FIRST]
    curve: Curve = []
    while True:
        learner = LogisticRegression(C=10, class_weight="balanced", max_iter=400).fit(pool[known], labels[known])
        curve.append((len(known), _score(learner, test, test_labels)))
        if len(known) >= LAST:
            return curve
        if labeling is None:
            known = order[: len(known) + STEP]
        else:
            candidates = _candidates(learner, pool, labels, known)
            rows = [choice.row for choice in choose(candidates, STEP, labeling, seed * 1000 + len(known))]
            unlabelled = [row for row in order if candidates.fresh[row] and row not in rows]
            known = known + rows + unlabelled[: STEP - len(rows)]  # a strategy that finds too few gets random ones


def _candidates(learner: LogisticRegression, pool: np.ndarray, labels: np.ndarray, known: list[int]) -> Candidates:
    fresh = np.ones(len(pool), dtype=bool)
    fresh[known] = False
    scores = _eight(learner, pool)
    return Candidates(
        ids=[str(row) for row in range(len(pool))],
        labels=LABELS,
        scores=scores,
        embeddings=pool,
        other_scores=np.full_like(scores, np.nan),
        automatic=scores.max(axis=1) > 0.5,
        no_reply=np.zeros(len(pool), dtype=bool),
        fresh=fresh,
        pooled=fresh,
        drawn=~fresh,
        label_counts=np.array([(labels[known] == label).sum() for label in LABELS]),
    )


def _eight(learner: LogisticRegression, rows: np.ndarray) -> np.ndarray:
    """Return scores over the eight labels, `none` left out and the rest brought to sum to 1."""
    found = learner.predict_proba(rows)
    scores = np.full((len(rows), len(LABELS)), 1e-9)
    for column, label in enumerate(learner.classes_):
        if label != NONE:
            scores[:, LABELS.index(label)] += found[:, column]
    return scores / scores.sum(axis=1, keepdims=True)


def _score(learner: LogisticRegression, test: np.ndarray, labels: np.ndarray) -> float:
    predicted = np.array(LABELS)[_eight(learner, test).argmax(axis=1)]
    return float(f1_score(labels, predicted, labels=list(LABELS), average="macro", zero_division=0))


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return embed_texts([clean(row["text"]) for row in rows]), np.array([row["label"] for row in rows])


def _write(folder: Path, curves: dict[str, list[Curve]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with (folder / "curves.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["mix", "seed", "labels", "macro_f1"])
        for name, seeds in curves.items():
            writer.writerows([name, seed, n, f"{score:.4f}"] for seed, curve in enumerate(seeds) for n, score in curve)
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for name, seeds in curves.items():
        counts, means = zip(*mean_curve(seeds), strict=True)
        axes.plot(counts, means, marker=".", label=name, linewidth=2.5 if name in {"random", "as configured"} else 1)
    axes.set(xlabel="labels", ylabel="macro-F1, eight labels", title="What to label next")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(folder / "curves.png", dpi=120)


if __name__ == "__main__":
    main()
