"""Does the chosen order beat a random one? Labels revealed batch by batch, a fast learner fitted after each.

    python -m benchmarks.active_learning LABELLED -o OUT                        # every strategy, by cross-validation
    python -m benchmarks.active_learning LABELLED --confirm OTHER --only "as configured" -o OUT   # once, on other rows

Each fold of LABELLED is held out once and labels are revealed in the others, or all of LABELLED is the pool and OTHER
held out; curves of strategies that are not run are read from OUT. The learner is logistic regression on frozen MiniLM; the measure is macro-F1 over the eight labels. All begin
with the same 50 random labels. Writes curves.csv and curves.png to OUT and prints a table.
"""

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from benchmarks.strategies import SECOND_OPINION, Strategy, strategies
from configs.taxonomy import NONE, load_taxonomy
from data.clean import clean
from flows.embedding import embed_texts
from labeling.select import Candidates

LABELS = load_taxonomy().labels
FIRST, STEP, LAST, TARGET = 50, 50, 600, 350
COUNTS = list(range(FIRST, LAST + 1, STEP))


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled messages: embeddings (N, D), words (N, V, sparse) and labels (N,)."""

    embeddings: np.ndarray
    words: np.ndarray
    labels: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "Rows":
        return Rows(self.embeddings[rows], self.words[rows], self.labels[rows])


def main() -> None:
    """Run each strategy on each fold with each seed, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--only", action="append", help="a strategy; may be given again; default: all")
    parser.add_argument("--confirm", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("var/benchmarks/active_learning"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    options = parser.parse_args()
    known = strategies()
    curves = _read_curves(options.output / "curves.csv")
    names = [name for name in known if name in (options.only or known) or (name == "random" and name not in curves)]
    parts = list(_parts(options.labelled, options.confirm, options.folds))
    options.output.mkdir(parents=True, exist_ok=True)
    for name in names:
        runs = [_simulate(*part, name, known[name], seed) for seed in range(options.seeds) for part in parts]
        curves[name] = np.array(runs)
        print(describe(name, curves), flush=True)
        _write(options.output / "curves.csv", curves)
    _draw(options.output / "curves.png", curves)


def describe(name: str, curves: dict[str, np.ndarray]) -> str:
    """Return a row of the table: some points, when random's last is reached, and the paired difference to random."""
    means, target = curves[name].mean(axis=0), curves["random"].mean(axis=0)[-1]
    reached = next((count for count, mean in zip(COUNTS, means, strict=True) if mean >= target), None)
    points = " | ".join(f"{means[COUNTS.index(count)]:.3f}" for count in (100, 250, TARGET, 450, LAST))
    gain = (curves[name] - curves["random"]).mean(axis=1)
    error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else float("nan")
    return f"| {name} | {points} | {reached or 'not'} | {gain.mean():+.4f} ± {error:.4f} |"


def _parts(labelled: Path, confirm: Path | None, folds: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield pools with the rows that test what was learnt from them."""
    texts, labels = _read(labelled)
    split = len(texts)
    if confirm:
        more, more_labels = _read(confirm)
        texts, labels = texts + more, labels + more_labels
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit(texts[:split]).transform(texts)
    rows = Rows(embed_texts(texts), words.tocsr(), np.array(labels))
    if confirm:
        yield rows[np.arange(split)], rows[np.arange(split, len(texts))]
        return
    for pool, test in StratifiedKFold(folds, shuffle=True, random_state=0).split(rows.embeddings, rows.labels):
        yield rows[pool], rows[test]


def _simulate(pool: Rows, test: Rows, name: str, strategy: Strategy, seed: int) -> list[float]:
    """Return macro-F1 at each number of labels."""
    order = np.random.default_rng(seed).permutation(len(pool.labels)).tolist()
    known, curve = order[:FIRST], []
    while True:
        learner = _fit(pool.embeddings[known], pool.labels[known])
        curve.append(_score(learner, test))
        if len(known) >= LAST:
            return curve
        candidates = _candidates(learner, pool, known, second=name == SECOND_OPINION)
        rows = strategy(candidates, STEP, seed * 1000 + len(known), order)
        rest = [row for row in order if candidates.fresh[row] and row not in rows]
        known = known + rows + rest[: STEP - len(rows)]  # a strategy that finds too few gets random ones


def _candidates(learner: LogisticRegression, pool: Rows, known: list[int], second: bool) -> Candidates:
    fresh = np.ones(len(pool.labels), dtype=bool)
    fresh[known] = False
    scores = _eight(learner, pool.embeddings)
    other = np.full_like(scores, np.nan)
    if second:
        other = _eight(_fit(pool.words[known], pool.labels[known]), pool.words)
    return Candidates(
        ids=[str(row) for row in range(len(fresh))], labels=LABELS, scores=scores, embeddings=pool.embeddings,
        other_scores=other, automatic=scores.max(axis=1) > 0.5, no_reply=np.zeros(len(fresh), dtype=bool), fresh=fresh,
        pooled=fresh, drawn=~fresh, label_counts=np.array([(pool.labels[known] == label).sum() for label in LABELS]),
    )  # fmt: skip


def _fit(rows: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=10, class_weight="balanced", max_iter=400).fit(rows, labels)


def _eight(learner: LogisticRegression, rows: np.ndarray) -> np.ndarray:
    """Return scores over the eight labels, `none` left out and the rest brought to sum to 1."""
    found = learner.predict_proba(rows)
    scores = np.full((found.shape[0], len(LABELS)), 1e-9)
    for column, label in enumerate(learner.classes_):
        if label != NONE:
            scores[:, LABELS.index(label)] += found[:, column]
    return scores / scores.sum(axis=1, keepdims=True)


def _score(learner: LogisticRegression, test: Rows) -> float:
    eight = test.labels != NONE
    predicted = np.array(LABELS)[_eight(learner, test.embeddings[eight]).argmax(axis=1)]
    return float(f1_score(test.labels[eight], predicted, labels=list(LABELS), average="macro", zero_division=0))


def _read(path: Path) -> tuple[list[str], list[str]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [clean(row["text"]) for row in rows], [row["label"] for row in rows]


def _write(path: Path, curves: dict[str, np.ndarray]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["strategy", "run", "labels", "macro_f1"])
        for name, runs in curves.items():
            writer.writerows(
                [name, run, count, f"{score:.4f}"]
                for run, curve in enumerate(runs)
                for count, score in zip(COUNTS, curve, strict=True)
            )


def _read_curves(path: Path) -> dict[str, np.ndarray]:
    curves: dict[str, list[float]] = {}
    if path.exists():
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                curves.setdefault(row["strategy"], []).append(float(row["macro_f1"]))
    return {name: np.array(scores).reshape(-1, len(COUNTS)) for name, scores in curves.items()}


def _draw(path: Path, curves: dict[str, np.ndarray], bold: Sequence[str] = ("random", "as configured")) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5))
    for name, runs in curves.items():
        axes.plot(COUNTS, runs.mean(axis=0), marker=".", label=name, linewidth=2.5 if name in bold else 1)
    axes.set(xlabel="labels", ylabel="macro-F1, eight labels", title="What to label next")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
