"""The table and the plot of the cells that are done."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from benchmarks.quality.grid import SIZES, Split
from benchmarks.quality.rows import Job
from configs.taxonomy import NONE

Done = Mapping[Job, dict]
BEGIN, END = "<!-- quality: begin -->", "<!-- quality: end -->"
_WHAT = {
    "fasttext": "fastText",
    "tfidf_lr": "TF-IDF, logistic regression",
    "linear_svm": "TF-IDF, linear SVM",
    "frozen_lr": "frozen MiniLM, logistic regression",
    "model2vec": "model2vec, fine-tuned",
    "setfit": "SetFit MiniLM",
    "plain_finetune": "plain fine-tune of MiniLM",
    "ours": "ours: corpus + labels",
    "ours_real": "ours: labels alone",
    "ours_archive": "ours: corpus + labels + archive",
    "ours_taught": "ours: corpus + labels + archive, by the larger's answers",
    "ours_large": "ours, larger encoder: corpus + labels",
}


def macro_f1(cell: dict, split: Split, labels: tuple[str, ...]) -> float:
    """Return macro-F1 over the labels, rows of `none` left out."""
    true, found = zip(*_pairs(cell, split), strict=True)
    return float(f1_score(true, found, labels=labels, average="macro", zero_division=0))


def random_accuracy(cell: dict, split: Split) -> float:
    """Return the share right of the rows that were drawn at random, those of `none` left out."""
    pairs = _pairs(cell, split, only=split.random)
    return float(np.mean([true == found for true, found in pairs])) if pairs else float("nan")


def _pairs(cell: dict, split: Split, only: frozenset[str] | None = None) -> list[tuple[str, str]]:
    return [(row["label"], found) for row, found in zip(split.test, cell["found"], strict=True)
            if row["label"] != NONE and (only is None or row["id"] in only)]  # fmt: skip


def write_table(done: Done, split: Split, command: str, path: Path) -> None:
    """Put the table into the results file, in place of the one that was there."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Results\n"
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(
        f"{before.rstrip()}\n\n{BEGIN}\n{_section(done, split, command)}\n{END}\n{after.lstrip()}".rstrip() + "\n"
    )


def _section(done: Done, split: Split, command: str) -> str:
    sizes = [size for size in SIZES if any(job.size == size for job in done)]
    head = f"| labels a class | {' | '.join(sizes)} | drawn at random | fit, seconds | peak, MB | messages/s |"
    scored = [row["id"] for row in split.test if row["label"] != NONE]
    lines = ["## Quality", "", f"    {command}", "",
             f"Macro-F1 over the eight labels on {len(scored)} rows, mean (and range) over seeds. At the largest size: the "
             f"accuracy on those {sum(key in split.random for key in scored)} of them that were drawn at random, seconds, "
             "memory and rate.", "", head, "|" + "---|" * (len(sizes) + 5)]  # fmt: skip
    for system in dict.fromkeys(job.system for job in done):
        lines.append(f"| {_WHAT.get(system, system)} | {_row(done, split, system, sizes)} |")
    return "\n".join(lines)


def _row(done: Done, split: Split, system: str, sizes: list[str]) -> str:
    cells, last = [], []
    for size in sizes:
        found = [(job, cell) for job, cell in done.items() if (job.system, job.size) == (system, size)]
        scored = [macro_f1(cell, split, job.labels) for job, cell in found if "skipped" not in cell]
        skipped = next((cell["skipped"] for _, cell in found if "skipped" in cell), "")
        cells.append(_mean_and_range(scored) if scored else skipped[:60] or "-")
        last = [cell for _, cell in found if "skipped" not in cell] or last
    costs = [
        f"{np.mean([cell[name] for cell in last]):.0f}" if last else "-"
        for name in ("fit_seconds", "peak_mb", "per_second")
    ]
    at_random = f"{np.mean([random_accuracy(cell, split) for cell in last]):.3f}" if last else "-"
    return " | ".join([*cells, at_random, *costs])


def _mean_and_range(values: list[float]) -> str:
    low, high = f"{min(values):.3f}", f"{max(values):.3f}"
    return f"{np.mean(values):.3f}" + (f" ({low[1:]}-{high[1:]})" if low != high else "")


def draw_plot(done: Done, split: Split, path: Path) -> None:
    """Draw the learning curves."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    for system in dict.fromkeys(job.system for job in done):
        points = []
        for at, size in enumerate(SIZES):
            scored = [macro_f1(cell, split, job.labels) for job, cell in done.items()
                      if (job.system, job.size) == (system, size) and "skipped" not in cell]  # fmt: skip
            if scored:
                points.append((at, float(np.mean(scored))))
        if points:
            axes.plot(
                *zip(*points, strict=True),
                marker="o",
                label=_WHAT.get(system, system),
                linewidth=2.5 if "ours" in system else 1,
            )
    axes.set_xticks(range(len(SIZES)), SIZES)
    axes.set(xlabel="real labels a class", ylabel="macro-F1")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
    figure.savefig(path, dpi=120, bbox_inches="tight")
