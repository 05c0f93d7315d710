"""A plain fine-tune of MiniLM: mean pooling, 6 epochs, 8e-5, square-root class weights, smoothing 0.05; no doubt."""

from benchmarks.quality.base import minilm
from benchmarks.quality.rows import Job, Predict, Rows

EPOCHS, RATE, BATCH, TOKENS, SMOOTHING = 6, 8e-5, 32, 96, 0.05


def fit(job: Job, rows: Rows) -> Predict:
    """Return the fitted system."""
    import torch
    from transformers import AutoModel, AutoTokenizer, get_linear_schedule_with_warmup

    torch.manual_seed(job.seed)
    texts, labels = rows.texts_and_labels()
    ids = torch.tensor([job.labels.index(label) for label in labels])
    tokenizer, encoder = AutoTokenizer.from_pretrained(minilm()), AutoModel.from_pretrained(minilm())
    head = torch.nn.Linear(encoder.config.hidden_size, len(job.labels))
    weight = 1 / torch.bincount(ids, minlength=len(job.labels)).clamp(min=1).sqrt()
    loss_of = torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=SMOOTHING)
    optimizer = torch.optim.AdamW(
        [{"params": encoder.parameters()}, {"params": head.parameters(), "lr": 1e-3}], lr=RATE
    )
    steps = EPOCHS * -(-len(ids) // BATCH)
    schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)

    def logits(batch: list[str]) -> torch.Tensor:
        tokens = tokenizer(batch, padding=True, truncation=True, max_length=TOKENS, return_tensors="pt")
        states, mask = encoder(**tokens).last_hidden_state, tokens["attention_mask"].unsqueeze(-1)
        return head((states * mask).sum(dim=1) / mask.sum(dim=1))

    encoder.train()
    for _ in range(EPOCHS):
        for at in torch.randperm(len(ids)).split(BATCH):
            loss = loss_of(logits([texts[i] for i in at.tolist()]), ids[at])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    encoder.eval()

    def predict(texts: list[str]) -> list[str]:
        with torch.no_grad():
            found = [int(i) for at in range(0, len(texts), 64) for i in logits(texts[at : at + 64]).argmax(dim=1)]
        return [job.labels[i] for i in found]

    return predict
