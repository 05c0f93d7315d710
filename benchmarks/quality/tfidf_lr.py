"""TF-IDF of words and word pieces with logistic regression."""

from benchmarks.quality.linear import features, fitted
from benchmarks.quality.rows import Job, Predict, Rows


def fit(job: Job, rows: Rows) -> Predict:
    """Return the fitted system."""
    from sklearn.linear_model import LogisticRegression

    return fitted(features(), LogisticRegression(max_iter=1000, C=10.0, class_weight="balanced"), rows)
