"""What each choice of the recipe is worth: the shipped recipe beside others that differ in one thing, several seeds.

    python -m benchmarks.recipe ../shared/data/real_train.jsonl

Every form learns from the same sample of the seed corpus and is scored on FILE, which nothing is learnt from. A gain is
the mean macro-F1 over the seeds less that of the shipped recipe with the same seeds; its 95% interval resamples
messages and seeds. Two forms are no keys of the recipe: the mean of the weights over the last share of the steps, and over
trainings that see the rows in other orders. Networks are scored as learnt: calibration, the deployed mix and int8 come
after. Cells are kept under var/benchmarks/recipe, so that a run that was stopped goes on.
"""

import argparse
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import numpy as np

from benchmarks.averaging import AverageSteps, average_of_orders
from configs.paths import var_dir
from configs.recipe import load_recipe
from configs.taxonomy import NONE, load_taxonomy
from data.messages import LabelledMessage
from data.parsing import read_labelled
from data.readers import read_rows
from evaluation.metrics import RESAMPLES, macro_f1
from flows.training_set import seed_training_set
from training.code import digest_of_code
from training.examples import Example, as_examples
from training.inference import network_logits
from training.model import MessageClassifier
from training.opinions import digest_of_opinions, with_opinions
from training.parts import fingerprint
from training.setup import Setup, make_ready

SHIPPED = ""
FORMS = (
    "keep_pretrained=0", "keep_pretrained=0.4", "teacher_share=0", "teacher_share=0.8", "second_share=0",
    "label_smoothing=0", "epochs=1", "epochs=3", "learning_rate=8e-5", "learning_rate=3.2e-4", "layer_decay=0.8",
    "pooling=cls", "pooling=attention", "class_weights=sqrt", "frozen_depth=0", "frozen_depth=3", "batch_size=32",
    "encoder_dropout=0.1", "rdrop=1", "noise=0.3", "warm_up_steps=60", "average_steps=0.3", "average_orders=2",
)  # fmt: skip


def main() -> None:
    """Learn every form with every seed, one seed of all before the next, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="labelled messages to score on")
    parser.add_argument("--forms", nargs="+", default=FORMS, metavar="KEY=VALUE", help="beside the shipped recipe")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=4000, help="of the corpus, the same ones for all")
    asked = parser.parse_args()
    labels = load_taxonomy().labels
    rows = [row for row in read_labelled(str(asked.file), read_rows(asked.file), load_taxonomy()) if row.label != NONE]
    true = np.array([labels.index(row.label) for row in rows])
    fit = seed_training_set(load_recipe("full", (f"max_rows={asked.rows}",))).fit
    forms = [SHIPPED, *asked.forms]
    found: dict[str, list[np.ndarray]] = {form: [] for form in forms}
    seconds: dict[str, list[float]] = {form: [] for form in forms}
    for seed in range(1, asked.seeds + 1):
        for form in forms:
            given, took = _cell(form, seed, fit, rows)
            found[form].append(given)
            seconds[form].append(took)
            print(
                f"seed {seed}, {form or 'shipped'}: {macro_f1(true, given, len(labels)):.3f}, {took:.0f} s", flush=True
            )
    print(_table(true, {form: np.stack(each) for form, each in found.items()}, seconds, len(labels)))


def _cell(
    form: str, seed: int, fit: Sequence[LabelledMessage], rows: Sequence[LabelledMessage]
) -> tuple[np.ndarray, float]:
    """Return the label ids that a form, learnt from `fit`, gives to rows, (N,), and how many seconds it learnt."""
    averaged = form.startswith("average_")
    recipe = load_recipe("full", ("least_steps=0", *([form] if form and not averaged else []), f"seed={seed}"))
    setup = make_ready(recipe)
    parts = [form, recipe.model_dump_json(), setup.base_digest, digest_of_opinions()]
    parts += [fingerprint(fit), fingerprint(rows)]
    parts.append(digest_of_code("training.opinions", "training.inference", "training.setup"))
    path = var_dir() / "benchmarks" / "recipe" / f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}.npz"
    if not path.exists():
        with tempfile.TemporaryDirectory() as folder:
            began = monotonic()
            network = _learnt(form, setup, with_opinions(as_examples(fit), setup), Path(folder))
            took = monotonic() - began
        logits, _ = network_logits(network, setup.tokenizer, setup.tokenised(as_examples(rows)))
        path.parent.mkdir(parents=True, exist_ok=True)
        waiting = path.with_suffix(".tmp.npz")
        np.savez(waiting, found=logits.argmax(axis=1), seconds=took)
        waiting.replace(path)
    with np.load(path) as kept:
        return kept["found"], float(kept["seconds"])


def _learnt(form: str, setup: Setup, examples: Sequence[Example], folder: Path) -> MessageClassifier:
    name, _, value = form.partition("=")
    if name == "average_orders":
        return average_of_orders(setup, examples, int(value), folder)
    callbacks = (AverageSteps(float(value)),) if name == "average_steps" else ()
    return setup.fine_tuned(examples, None, folder, callbacks).model


def _table(true: np.ndarray, found: dict[str, np.ndarray], seconds: dict[str, list[float]], classes: int) -> str:
    """Return a line a form, the best first; `found` is (seeds, N) of each."""
    shipped = found[SHIPPED]
    lines = ["| the shipped recipe, but | macro-F1 | gain | 95% interval | seconds |", "|---|---|---|---|---|"]
    means = {form: _mean(true, each, classes) for form, each in found.items()}
    for form in sorted(found, key=lambda form: -means[form]):
        gain, bounds = "", ""
        if form != SHIPPED:
            low, high = _interval(true, shipped, found[form], classes)
            gain, bounds = f"{100 * (means[form] - means[SHIPPED]):+.1f}", f"{100 * low:+.1f} to {100 * high:+.1f}"
        name = form or "**nothing: as shipped**"
        lines.append(f"| {name} | {means[form]:.3f} | {gain} | {bounds} | {np.median(seconds[form]):.0f} |")
    return "\n".join(lines)


def _interval(true: np.ndarray, before: np.ndarray, after: np.ndarray, classes: int) -> tuple[float, float]:
    """Return the 95% interval of the gain when messages and seeds are drawn anew."""
    rng = np.random.default_rng(0)
    gains = []
    for _ in range(RESAMPLES):
        at, seeds = rng.integers(0, len(true), len(true)), rng.integers(0, len(before), len(before))
        drawn = [_mean(true[at], each[np.ix_(seeds, at)], classes) for each in (before, after)]
        gains.append(drawn[1] - drawn[0])
    low, high = np.percentile(gains, (2.5, 97.5))
    return float(low), float(high)


def _mean(true: np.ndarray, found: np.ndarray, classes: int) -> float:
    return float(np.mean([macro_f1(true, one, classes) for one in found]))


if __name__ == "__main__":
    main()
