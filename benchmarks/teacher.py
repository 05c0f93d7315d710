"""The larger teacher's opinion of every message of the seed corpus, written beside it for `teacher_share`.

    switchboard train full base_model=FOLDER epochs=1 learning_rate=4e-5 teacher_share=0 keep_pretrained=0.1 precision=fp32
    python benchmarks/teacher.py BUNDLE

FOLDER holds an encoder larger than the one that is served. A teacher has learnt the rows of the corpus that it was fitted
on; one epoch and smoothed labels keep its opinion of them from being a mere echo.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data.clean import clean
from data.corpus import read_corpus
from training.opinions import OPINIONS, write_opinions
from training.predictor import Predictor


def main() -> None:
    """Write the teacher's probabilities of all rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=OPINIONS)
    asked = parser.parse_args()
    predictor = Predictor(asked.bundle)
    rows = list(read_corpus())
    logits, _ = predictor.logits(predictor.encode([clean(row.text) for row in rows]))
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    write_opinions([row.id for row in rows], scores, predictor.info.labels, asked.output)


if __name__ == "__main__":
    main()
