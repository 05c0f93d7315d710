"""The network: an encoder, pooling, a linear layer for the labels and one for doubt.

Knows nothing of text, labels' names or training.
"""

import torch
from torch import nn
from transformers.models.auto.modeling_auto import AutoModel


class MessageClassifier(nn.Module):
    """Maps token ids (B, T) and attention mask (B, T) to label logits (B, L) and one doubt logit (B,)."""

    def __init__(
        self, base_model: str, labels: int, pooling: str, dropout: float, encoder_dropout: float = 0.0
    ) -> None:
        super().__init__()
        # On a CPU the backward pass of fused attention takes more than twice as long as that of plain matrix products.
        # On a GPU it is for transformers to choose: not every encoder has the fused kind (MPNet has not).
        attention = None if torch.cuda.is_available() else "eager"
        self.encoder = AutoModel.from_pretrained(base_model, attn_implementation=attention, use_safetensors=True)
        for module in self.encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = encoder_dropout
        if getattr(self.encoder, "pooler", None) is not None:
            self.encoder.pooler = None  # unused here, and a parameter without gradient stops several processes
        width = self.encoder.config.hidden_size
        self.pooling = pooling
        self.attention = nn.Linear(width, 1) if pooling == "attention" else None
        self.dropout = nn.Dropout(dropout)
        self.label_head = nn.Linear(width, labels)
        self.doubt_head = nn.Linear(width, 1)

    def embed(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return one vector a message, (B, H)."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        if self.pooling == "cls":
            return states[:, 0]
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        if self.attention is not None:
            scores = self.attention(states).masked_fill(mask == 0, -1e4)
            return (states * scores.softmax(dim=1)).sum(dim=1)
        return (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return label logits (B, L) and doubt logits (B,)."""
        pooled = self.dropout(self.embed(input_ids, attention_mask))
        return self.label_head(pooled), self.doubt_head(pooled).squeeze(-1)
