"""The speed-quality frontier: the seed's network in plain fp32 beside its int8 form and smaller int8 students.

    python benchmarks/frontier.py --on ../shared/data/real_train.jsonl --texts ../shared/data/unlabelled.jsonl

The network is the one that `switchboard model` keeps; without one it is learnt first. Variants are made once and kept
under var/benchmarks/frontier; students are taught on the seed corpus' texts alone, or with `--archive FILE` on a
company's unlabelled messages beside them, as `switchboard train layers=3 adapt=FILE` does after learning the corpus.
Speeds are processor time in one process with one thread, all systems in turn on the same messages, from text to scores;
figures are medians of ratios over rounds.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time

PROJECT = Path(__file__).resolve().parent.parent
sys.path[0] = str(PROJECT)

from benchmarks.variants import Size, make_variants
from configs.paths import var_dir
from configs.taxonomy import NONE, load_taxonomy
from data.parsing import read_labelled
from data.readers import read_rows
from evaluation.score import figures, score
from training.predictor import Predictor

PART = 64  # messages at once, as a busy service batches them


@dataclass(frozen=True, slots=True)
class Point:
    """A variant's speed relative to the plain bundle, macro-F1 a file, coverage and megabytes."""

    name: str
    speed: float
    per_second: float
    quality: dict[str, float]
    coverage: float
    megabytes: float


def main() -> None:
    """Make the variants, measure them and write table and plot."""
    asked = _arguments()
    bundles = make_variants(asked.sizes, asked.epochs, asked.archive, _say)
    points = _measure({name: Predictor(folder, threads=1) for name, folder in bundles.items()}, asked)
    print(_table(points))
    _plot(points, asked.output / "frontier.png")
    _say(f"plot in {asked.output / 'frontier.png'}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", type=Path, nargs="+", required=True, help="labelled files")
    parser.add_argument("--texts", type=Path, required=True, help="messages to time")
    parser.add_argument(
        "--sizes", type=lambda text: [Size.of(one) for one in text.split(",") if one], default=[Size(3), Size(2)],
        help="of the students: layers, or layers x neurons of a feed-forward block, as in 3,3x1152",
    )  # fmt: skip
    parser.add_argument("--epochs", type=int, default=6, help="of the distillation")
    parser.add_argument("--archive", type=Path, help="unlabelled messages that students may learn from too")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=var_dir() / "benchmarks")
    return parser.parse_args()


def _measure(predictors: dict[str, Predictor], asked: argparse.Namespace) -> list[Point]:
    rows = zip(read_rows(asked.texts), range(PART * asked.rounds), strict=False)
    texts = [row.fields["text"] for row, _ in rows]
    seconds = {name: [] for name in predictors}
    for start in range(0, len(texts), PART):
        for name, predictor in predictors.items():
            began = process_time()
            predictor.predict(texts[start : start + PART])
            seconds[name].append(process_time() - began)
    plain = next(iter(seconds.values()))
    points = []
    for name, predictor in predictors.items():
        speed = median(base / own for base, own in zip(plain, seconds[name], strict=True))
        quality, coverage = {}, 0.0
        for path in asked.on:
            quality[path.stem], coverage = _quality(predictor, path)
        size = (predictor.folder / "model.onnx").stat().st_size / 1e6
        points.append(Point(name, speed, PART / median(seconds[name]), quality, coverage, size))
    return points


def _quality(predictor: Predictor, path: Path) -> tuple[float, float]:
    """Return macro-F1 over the eight labels, and the share of rows that are decided without a person."""
    rows = [row for row in read_labelled(str(path), read_rows(path), load_taxonomy()) if row.label != NONE]
    found = figures(score(predictor, rows))
    return found["macro_f1"], found["auto_share"]


def _table(points: list[Point]) -> str:
    files = list(points[0].quality)
    lines = [
        f"| network | speed | messages/s, one core | {' | '.join(f'macro-F1 {name}' for name in files)} | decided alone | MB |",
        "|---" * (5 + len(files)) + "|",
    ]
    for point in points:
        scores = " | ".join(f"{100 * point.quality[name]:.1f}" for name in files)
        lines.append(
            f"| {point.name} | {point.speed:.2f} | {point.per_second:.0f} | {scores} | {point.coverage:.0%} | {point.megabytes:.0f} |"
        )
    return "\n".join(lines)


def _plot(points: list[Point], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    files = list(points[0].quality)
    figure, panels = plt.subplots(
        1, len(files), figsize=(1 + 4.2 * len(files), 4.6), sharey=True, squeeze=False, layout="constrained"
    )
    for name, axes in zip(files, panels[0], strict=True):
        plain = 100 * points[0].quality[name]
        axes.axhspan(plain - 1, plain, color="0.9", label="at most one point below plain fp32")
        axes.axvline(5, color="0.6", linestyle=":", label="five times as fast")
        for number, point in enumerate(points):
            axes.plot(point.speed, 100 * point.quality[name], "osD^vP"[number % 6], markersize=8, label=point.name)
        axes.set(xlabel="throughput, times plain fp32", title=name)
        axes.margins(x=0.1, y=0.15)
    panels[0][0].set_ylabel("macro-F1")
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
