"""What the linear peers share."""

from typing import Any

from benchmarks.quality.rows import Predict, Rows


def features() -> Any:
    """Return the TF-IDF features: words and their pairs, and pieces of two to five letters."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    return make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )


def fitted(features: Any, classifier: Any, rows: Rows) -> Predict:
    """Return features and classifier fitted on rows."""
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(features, classifier).fit(*rows.texts_and_labels())
    return lambda texts: [str(label) for label in model.predict(texts)]
