"""fastText (Joulin et al. 2017), one thread, so that a seed repeats itself."""

import tempfile
from pathlib import Path

from benchmarks.quality.rows import Job, Predict, Rows


def fit(job: Job, rows: Rows) -> Predict:
    """Return the fitted system."""
    import fasttext

    texts, labels = rows.texts_and_labels()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        lines = (f"__label__{label} {_flat(text)}\n" for text, label in zip(texts, labels, strict=True))
        path.write_text("".join(lines), encoding="utf-8")
        model = fasttext.train_supervised(
            str(path), epoch=50, lr=0.5, wordNgrams=2, minn=2, maxn=5, dim=100, thread=1, seed=job.seed, verbose=0
        )
    # `predict` of one text breaks with NumPy 2; the binding below it does not.
    return lambda texts: [
        model.f.predict(_flat(text) + "\n", 1, 0.0, "strict")[0][1].removeprefix("__label__") for text in texts
    ]


def _flat(text: str) -> str:
    return " ".join(text.lower().split())
