"""How a model is trained: every key that decides is here and is recorded with the run."""

from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from configs.errors import SwitchboardError
from configs.loading import Config, load_config
from configs.paths import CONFIGS
from configs.taxonomy import load_taxonomy

MOST_EPOCHS = 10


class Recipe(Config):
    """One resolved training configuration."""

    name: str
    base_model: str = "minilm"
    seed: int = 13
    max_tokens: int = Field(default=96, ge=16, le=512)
    pooling: Literal["mean", "cls", "attention"] = "mean"
    dropout: float = Field(default=0.1, ge=0, lt=1)  # before the heads
    encoder_dropout: float = Field(default=0.0, ge=0, lt=1)  # within the encoder: costs a third of the time
    frozen_depth: int | None = Field(default=0, ge=0)  # 0: the embeddings, 1: and the first layer do not learn
    epochs: int = Field(ge=1)
    least_steps: int = Field(default=0, ge=0)  # with so few rows that the epochs have fewer, up to MOST_EPOCHS of them
    batch_size: int = Field(default=32, ge=1)
    learning_rate: float = Field(gt=0)
    head_learning_rate: float = Field(default=1e-3, gt=0)
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    class_weights: Literal["none", "sqrt", "inverse"] = "sqrt"
    label_smoothing: float = Field(default=0.05, ge=0, lt=1)
    second_share: float = Field(default=0.15, ge=0, le=0.5)
    teacher_share: float = Field(default=0.0, ge=0, lt=1)  # of the larger teacher's opinion in what the seed teaches
    doubt_weight: float = Field(default=0.3, ge=0)
    outlier_exposure: float = Field(default=0.1, ge=0)
    caution: float = Field(default=1.0, ge=1)
    keep_pretrained: float = Field(default=0.0, ge=0, lt=1)
    noise: float = Field(default=0.0, ge=0, le=1)
    rdrop: float = Field(default=0.0, ge=0)
    warm_up_steps: int = Field(default=0, ge=0)  # by contrast, of a new network before it is fine-tuned
    patience: int = Field(default=2, ge=1)
    max_rows: int | None = Field(default=None, ge=100)
    method: Literal["auto", "fine_tune", "contrastive"] = "auto"
    few_labels: int = Field(default=32, ge=0)  # the rarest label's rows below which `auto` warms up by contrast
    contrastive_steps: int = Field(default=60, ge=1)
    contrastive_rate: float = Field(default=2e-5, gt=0)
    folds: int = Field(default=3, ge=2)  # of the few rows, each held out once to calibrate
    adapt_epochs: int = Field(default=4, ge=1)  # over a company's rows, going on from the network of the seed
    adapt_rate: float = Field(default=5e-5, gt=0)
    adapt_batch_size: int = Field(default=32, ge=1)
    adapt_keep: float = Field(default=0.3, ge=0, lt=1)  # of the seed network's encoder after that
    adapt_seed: int | None = None  # where it should differ from the seed's, to see what chance does
    replay: float = Field(default=2.0, ge=0)  # rows of the seed learnt again for each of the company's
    customer_weight: float = Field(default=4.0, ge=1, le=20)  # at most: how often a customer's row counts
    customer_holdout: int = Field(default=100, ge=1)  # a customer's held-out rows from which they alone stop
    archive_rows: int = Field(default=20_000, ge=1)  # at most, drawn from an unlabelled archive
    archive_confidence: float = Field(default=0.8, ge=0, le=1)
    archive_weight: float = Field(default=0.3, gt=0, le=1)
    layers: int | None = Field(default=None, ge=1)  # of the encoder's, that a faster network distilled from it keeps
    neurons: int | None = Field(default=None, ge=1)  # of each feed-forward block's, that it keeps
    distil_epochs: int = Field(default=6, ge=1)
    precision: Literal["auto", "fp32", "int8"] = "auto"  # `auto`: int8 where it is faster here and costs nothing
    deployed_mix: dict[str, float] = Field(default_factory=dict)
    deployed_outside: float = Field(default=0.12, gt=0, lt=1)

    @property
    def distils(self) -> bool:
        """Whether a smaller network is asked for."""
        return self.layers is not None or self.neurons is not None

    def epochs_over(self, rows: int) -> int:
        """Return the epochs that so many rows are learnt for."""
        needed = -(-self.least_steps // -(-rows // self.batch_size))
        return max(self.epochs, min(needed, MOST_EPOCHS))

    @model_validator(mode="after")
    def _mix_names_each_label(self) -> "Recipe":
        labels = load_taxonomy().labels
        if self.deployed_mix and set(self.deployed_mix) != set(labels):
            raise ValueError(f"deployed_mix must give a share to each of {', '.join(labels)}")
        return self


def load_recipe(name_or_path: str = "full", overrides: tuple[str, ...] = ()) -> Recipe:
    """Return a recipe by its name under `configs/recipes/` or by its path."""
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        path = _named(name_or_path)
    return load_config(Recipe, path, overrides)


def _named(name: str) -> Path:
    known = {path.stem: path for path in sorted((CONFIGS / "recipes").glob("*.yaml"))}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? There are" if near else "there are"
        raise SwitchboardError(f"no recipe {name!r}; {hint} {', '.join(known)}, or name a YAML file")
    return known[name]
