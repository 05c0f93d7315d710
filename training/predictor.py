"""The predictor: texts in, calibrated scores and doubt out, by ONNX Runtime and tokenizers alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from configs.company import Company, load_company
from configs.processors import usable_processors
from data.clean import clean
from training.bundle import MODEL, TOKENIZER, BundleError, BundleInfo, read_golden, read_info, verify
from training.lone import Lanes, run
from training.scores import doubt_of, scores_of

GOLDEN_TOLERANCE = {"fp32": 1e-3, "int8": 2e-2}  # in int8 a last bit that another processor rounds is seen
TOKENS_PER_BATCH = 2048
SHOWN = 8  # golden texts that say whether sharing pays
MAX_PADDING = 1.1  # longest to shortest of a batch: on a CPU padding costs more than small batches do


class Network:
    """An exported network, loaded: token ids in, logits out."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._lanes = Lanes(path, threads or usable_processors())
        self._labels = int(self._lanes.session.get_outputs()[0].shape[1])

    def logits(self, tokens: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
        """Return label logits (N, L) and doubt logits (N,), computed in batches of like length."""
        logits = np.zeros((len(tokens), self._labels), dtype=np.float64)
        doubt = np.zeros(len(tokens), dtype=np.float64)
        with self._lanes.lane(len(tokens)) as session:
            for batch, ids, mask in padded_batches(tokens):
                logits[batch], doubt[batch] = run(session, (ids, mask))
        return logits, doubt

    def share(self, threads: int, tokens: Sequence[Sequence[int]]) -> bool:
        """Let so many threads share a text that comes alone, if that is faster for these; return whether it is."""
        return self._lanes.share(threads, [_pad([ids]) for ids in tokens])


@dataclass(frozen=True, slots=True)
class Predictions:
    """Scores (N, L), each row summing to 1, and doubt (N,): how likely the message belongs nowhere."""

    scores: np.ndarray
    doubt: np.ndarray


class Predictor:
    """A bundle, verified and loaded; safe to call from several threads.

    >>> Predictor(Path("var/published/...")).predict(["my router is dead"]).scores.argmax()  # doctest: +SKIP
    """

    def __init__(self, folder: Path, threads: int = 0, company: Company | None = None) -> None:
        self.digest = verify(folder)
        self.folder = folder
        self.info: BundleInfo = read_info(folder)
        self.company = company or load_company()
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.enable_truncation(self.info.max_tokens)
        self._tokenizer.no_padding()
        self._network = Network(folder / MODEL, threads)

    def predict(self, texts: Sequence[str]) -> Predictions:
        """Return scores and doubt for texts as people wrote them."""
        return self.predict_cleaned([clean(text, self.company) for text in texts])

    def predict_cleaned(self, cleaned: Sequence[str]) -> Predictions:
        """Return scores and doubt for texts already cleaned, computed in batches of like length."""
        return self.predict_tokens(self.encode(cleaned))

    def encode(self, cleaned: Sequence[str]) -> list[list[int]]:
        """Return the token ids of cleaned texts, at most `max_tokens` each."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(cleaned))]

    def predict_tokens(self, tokens: Sequence[Sequence[int]]) -> Predictions:
        """Return scores and doubt for token ids."""
        logits, doubt = self.logits(tokens)
        return calibrate(logits, doubt, self.info)

    def logits(self, tokens: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
        """Return label logits (N, L) and doubt logits (N,)."""
        return self._network.logits(tokens)

    def share(self, threads: int) -> bool:
        """Let so many threads share a text that comes alone, if that is faster here; return whether it is."""
        golden = [clean(str(row["text"]), self.company) for row in read_golden(self.folder)[:SHOWN]]
        return self._network.share(threads, self.encode(golden))

    def check_golden(self) -> None:
        """Raise unless the golden predictions are reproduced, so that a broken runtime is never served."""
        golden = read_golden(self.folder)
        found = self.predict([str(row["text"]) for row in golden])
        expected = np.array([[row["scores"][label] for label in self.info.labels] for row in golden])  # type: ignore[index]
        doubt = np.array([row["doubt"] for row in golden])
        worst = float(max(np.abs(found.scores - expected).max(), np.abs(found.doubt - doubt).max()))
        if not worst <= GOLDEN_TOLERANCE[self.info.precision]:
            raise BundleError(
                f"{self.folder}: golden predictions differ by {worst:.4f}; this runtime must not serve it"
            )


def calibrate(logits: np.ndarray, doubt_logits: np.ndarray, info: BundleInfo) -> Predictions:
    """Return calibrated predictions for raw logits."""
    return Predictions(scores_of(logits, info.calibration), doubt_of(doubt_logits, info.calibration))


def length_batches(lengths: Sequence[int], tokens_per_batch: int) -> list[list[int]]:
    """Return positions grouped by like length: little padding, and no padded batch beyond `tokens_per_batch`."""
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        length, last = lengths[position], batches[-1] if batches else []
        if last and length * (len(last) + 1) <= tokens_per_batch and length <= MAX_PADDING * lengths[last[0]] + 1:
            last.append(position)
        else:
            batches.append([position])
    return batches


def padded_batches(tokens: Sequence[Sequence[int]]) -> Iterator[tuple[list[int], np.ndarray, np.ndarray]]:
    """Yield batches of like length: the positions of their rows, the padded token ids and the mask, each (B, T)."""
    for batch in length_batches([len(ids) for ids in tokens], TOKENS_PER_BATCH):
        yield batch, *_pad([tokens[position] for position in batch])


def _pad(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    width = max(1, max(len(row) for row in rows))
    ids = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return ids, mask
