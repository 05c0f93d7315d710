"""SetFit (Tunstall et al. 2022) on MiniLM, its defaults: one epoch of 20 pairs a message."""

from benchmarks.quality.base import minilm
from benchmarks.quality.rows import Job, Predict, Rows


def fit(job: Job, rows: Rows) -> Predict:
    """Return the fitted system."""
    import tempfile

    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    texts, labels = rows.texts_and_labels()
    model = SetFitModel.from_pretrained(minilm(), labels=list(job.labels), device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, num_epochs=1, num_iterations=20, batch_size=16, seed=job.seed, report_to="none"
        )
        ids = [job.labels.index(label) for label in labels]
        Trainer(model=model, args=arguments, train_dataset=Dataset.from_dict({"text": texts, "label": ids})).train()
    return lambda texts: [str(label) for label in model.predict(texts)]
