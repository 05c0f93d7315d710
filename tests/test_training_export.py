"""Export: ONNX answers as PyTorch does, and what does not is refused and leaves nothing behind."""

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from training import export
from training.bundle import BundleInfo, Calibration, Thresholds, verify
from training.export import export_network, write_bundle
from training.model import MessageClassifier
from training.predictor import Predictor

LABELS = load_taxonomy().labels
GOLDEN = ["my router is broken", "thanks, love it", "?", "please add dark mode and a plan with a better price " * 3]


@pytest.fixture
def tokenizer(tiny_base: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_base)


def _network(tiny_base: Path, pooling: str = "mean") -> MessageClassifier:
    torch.manual_seed(3)
    return MessageClassifier(str(tiny_base), len(LABELS), pooling, 0.1).eval()


def _info() -> BundleInfo:
    return BundleInfo(
        name="t", created="2026-11-21T00:00:00+00:00", labels=LABELS, taxonomy_version=load_taxonomy().version,
        max_tokens=16, calibration=Calibration(), base_model="tiny", base_digest="0", data_fingerprint="0", commit="0",
        thresholds=Thresholds(auto=dict.fromkeys(LABELS, 0.6), out_of_scope=0.5, playbook_version="1"), recipe={},
    )  # fmt: skip


def _export(network: MessageClassifier, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Path:
    path = folder.parent / "network.onnx"
    try:
        export_network(network, tokenizer, GOLDEN, 16, path)
        return write_bundle(path, tokenizer, _info(), GOLDEN, "# card", folder)
    finally:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("pooling", ["mean", "cls", "attention"])
def test_every_pooling_is_exported_faithfully(
    tiny_base: Path, tokenizer: PreTrainedTokenizerBase, tmp_path: Path, pooling: str
):
    folder = _export(_network(tiny_base, pooling), tokenizer, tmp_path / "bundle")
    verify(folder)
    Predictor(folder, threads=1).check_golden()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_network_that_onnx_does_not_reproduce_is_refused(
    tiny_base: Path, tokenizer: PreTrainedTokenizerBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = export._export_onnx

    def broken(model: MessageClassifier, path: Path) -> None:
        with torch.no_grad():
            model.label_head.bias += 1e-3
            whole(model, path)
            model.label_head.bias -= 1e-3

    monkeypatch.setattr(export, "_export_onnx", broken)
    with pytest.raises(SwitchboardError, match=r"ONNX and PyTorch differ by 1\.0"):
        _export(_network(tiny_base), tokenizer, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == [], "nothing half made is left behind"


def test_a_network_that_answers_nonsense_is_refused(
    tiny_base: Path, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
):
    network = _network(tiny_base)
    with torch.no_grad():
        network.label_head.weight.fill_(float("nan"))
    with pytest.raises(SwitchboardError, match="differ by nan"):
        _export(network, tokenizer, tmp_path / "bundle")


def test_an_existing_folder_is_never_overwritten(tiny_base: Path, tokenizer: PreTrainedTokenizerBase, tmp_path: Path):
    with pytest.raises(SwitchboardError, match="exists already"):
        write_bundle(tmp_path / "none.onnx", tokenizer, _info(), GOLDEN, "# card", tmp_path)
