"""A trained model as files: ONNX, tokenizer, labels, calibration, thresholds, golden predictions, card, digests.

No pickles, and no torch: reading a bundle needs JSON and hashes only.
"""

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from configs.errors import SwitchboardError
from configs.loading import Config
from configs.taxonomy import load_taxonomy

FORMAT = 1
MODEL, TOKENIZER, INFO, GOLDEN, CARD, MANIFEST = (
    "model.onnx", "tokenizer.json", "bundle.json", "golden.jsonl", "CARD.md", "manifest.json",
)  # fmt: skip
FILES = (MODEL, TOKENIZER, INFO, GOLDEN, CARD)


class Calibration(Config):
    """From logits to honest scores: softmax(logits / temperature + bias); doubt is sigmoid(scale * logit + shift)."""

    temperature: float = Field(default=1.0, gt=0)
    bias: tuple[float, ...] = ()
    doubt_scale: float = Field(default=1.0, gt=0)
    doubt_shift: float = 0.0


class Thresholds(Config):
    """What is sure enough: a score a label to act by itself, and the doubt from which a message belongs nowhere."""

    auto: dict[str, float]
    out_of_scope: float
    playbook_version: str


class PrecisionCheck(Config):
    """What int8 gave and cost beside fp32 when the bundle was made: speed, and answers on the rows asked.

    `changed` is the share of rows with another label, `largest_change` of a score, `macro_f1_change` int8 less fp32.
    """

    rows: int
    speedup: float
    changed: float
    largest_change: float
    macro_f1_change: float

    def told(self) -> str:
        """Return the figures in words."""
        return (
            f"int8 is {self.speedup} times as fast here, changes {self.changed:.1%} of {self.rows} labels "
            f"and macro-F1 by {100 * self.macro_f1_change:+.2f} points"
        )


class BundleInfo(Config):
    """Everything that decides, recorded with the model."""

    format: int = FORMAT
    name: str
    created: str
    labels: tuple[str, ...]
    taxonomy_version: str
    max_tokens: int
    calibration: Calibration
    thresholds: Thresholds
    base_model: str
    base_digest: str
    data_fingerprint: str
    archive: str = ""  # digest of the unlabelled messages that it learnt too
    teacher: str = ""  # name and digest of the bundle that answered these, where that was another
    commit: str
    recipe: dict[str, object]
    precision: Literal["fp32", "int8"] = "fp32"
    precision_check: PrecisionCheck | None = None


class BundleError(SwitchboardError):
    """A bundle that must not be used; the text names the file and the fault."""


def read_info(folder: Path) -> BundleInfo:
    """Return what a verified bundle says of itself; a wrong taxonomy or format is refused."""
    try:
        info = BundleInfo.model_validate_json((folder / INFO).read_bytes())
    except (OSError, ValidationError) as error:
        raise BundleError(f"{folder / INFO}: cannot be read: {str(error).splitlines()[0]}") from None
    taxonomy = load_taxonomy()
    if info.format != FORMAT:
        raise BundleError(f"{folder}: bundle format {info.format}, this code reads {FORMAT}; train it again")
    if info.taxonomy_version != taxonomy.version or info.labels != taxonomy.labels:
        raise BundleError(
            f"{folder}: made for taxonomy {info.taxonomy_version} {list(info.labels)}, "
            f"configured is {taxonomy.version} {list(taxonomy.labels)}; train again or restore the taxonomy"
        )
    return info


def verify(folder: Path) -> str:
    """Check every file against the manifest's digests and return the bundle's own digest (SHA-256, hexadecimal)."""
    manifest = _read_manifest(folder)
    for name in FILES:
        path = folder / name
        if name not in manifest:
            raise BundleError(f"{folder / MANIFEST}: does not name {name}")
        if not path.is_file():
            raise BundleError(f"{path}: missing from the bundle; publish it again")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != manifest[name]:
            raise BundleError(f"{path}: damaged or changed (digest {found[:12]}, expected {manifest[name][:12]})")
    return bundle_digest(folder)


def seal(folder: Path) -> str:
    """Write the manifest of a finished bundle and return the bundle's digest."""
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    (folder / MANIFEST).write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")
    return bundle_digest(folder)


def bundle_digest(folder: Path) -> str:
    """Return the SHA-256 of the manifest, which stands for all the files."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def read_golden(folder: Path) -> list[dict[str, object]]:
    """Return the golden predictions: `text`, `scores` (label -> probability) and `doubt` of seed messages."""
    return [json.loads(line) for line in (folder / GOLDEN).read_text(encoding="utf-8").splitlines()]


def _read_manifest(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        raise BundleError(f"{folder}: no such bundle folder")
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        raise BundleError(f"{folder / MANIFEST}: missing or not JSON; this is not a bundle") from None
    return manifest
