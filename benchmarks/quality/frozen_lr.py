"""Frozen all-MiniLM-L6-v2 with logistic regression."""

from benchmarks.quality.base import minilm
from benchmarks.quality.rows import Job, Predict, Rows


def fit(job: Job, rows: Rows) -> Predict:
    """Return the fitted system."""
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression

    encoder = SentenceTransformer(minilm(), device="cpu")
    texts, labels = rows.texts_and_labels()
    head = LogisticRegression(max_iter=1000, C=10.0, class_weight="balanced")
    head.fit(encoder.encode(texts, normalize_embeddings=True), labels)
    return lambda texts: [str(label) for label in head.predict(encoder.encode(texts, normalize_embeddings=True))]
