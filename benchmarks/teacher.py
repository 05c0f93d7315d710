"""Larger teachers' mean opinion of every message of the seed corpus' stream, written beside it for `teacher_share`.

    switchboard train full base_model=FOLDER epochs=1 learning_rate=4e-5 teacher_share=0 keep_pretrained=0.1 precision=fp32
    python benchmarks/teacher.py BUNDLE [BUNDLE ...]

FOLDER holds an encoder larger than the one that is served. A teacher has learnt the rows of the corpus that it was fitted
on; few epochs and smoothed labels keep its opinion of them from being a mere echo, and so do several teachers.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.special import softmax

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from configs.taxonomy import load_taxonomy
from data.clean import clean
from data.corpus import read_corpus
from training.opinions import OPINIONS, write_opinions
from training.predictor import Predictor


def main() -> None:
    """Write the teachers' mean probabilities."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, default=OPINIONS)
    asked = parser.parse_args()
    rows = [row for row in read_corpus() if len(row.writer) > 1]  # the stream's: a to r wrote for labels
    labels = load_taxonomy().labels
    texts = [clean(row.text) for row in rows]
    scores = np.mean([_opinion(Predictor(bundle), texts) for bundle in asked.bundles], axis=0)
    write_opinions([row.id for row in rows], scores, labels, asked.output)


def _opinion(teacher: Predictor, texts: list[str]) -> np.ndarray:
    """Return a teacher's probabilities (N, L), uncalibrated."""
    logits, _ = teacher.logits(teacher.encode(texts))
    return softmax(logits, axis=1)


if __name__ == "__main__":
    main()
