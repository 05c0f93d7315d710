"""model2vec: static embeddings distilled from MiniLM, then fine-tuned."""

from benchmarks.quality.base import minilm
from benchmarks.quality.rows import Job, Predict, Rows


def fit(job: Job, rows: Rows) -> Predict:
    """Return the fitted system."""
    import torch
    from model2vec.distill import distill
    from model2vec.train import StaticModelForClassification

    torch.manual_seed(job.seed)
    static = distill(model_name=minilm(), device="cpu")
    model = StaticModelForClassification.from_static_model(model=static)
    model.fit(*rows.texts_and_labels(), device="cpu", max_epochs=50)
    return lambda texts: [str(label) for label in model.predict(texts)]
