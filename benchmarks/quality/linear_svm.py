"""TF-IDF of words and word pieces with a linear support vector machine."""

from benchmarks.quality.linear import features, fitted
from benchmarks.quality.rows import Job, Predict, Rows


def fit(job: Job, rows: Rows) -> Predict:
    """Return the fitted system."""
    from sklearn.svm import LinearSVC

    return fitted(features(), LinearSVC(C=0.5, class_weight="balanced", random_state=job.seed), rows)
