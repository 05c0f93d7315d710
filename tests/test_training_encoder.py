"""The base model: found in a folder or in the hub's cache, never from a pickle, and known by all of its weights."""

import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from configs.errors import SwitchboardError
from tests.tiny_base import tiny_recipe
from training.encoder import base_model_digest, file_digest, locate_base_model
from training.model import MessageClassifier
from training.setup import make_ready


@pytest.fixture
def base(tiny_base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_base, tmp_path / "base"))


def _as_pickle(base: Path) -> None:
    weights = base / "model.safetensors"
    torch.save(load_file(weights), base / "pytorch_model.bin")
    weights.unlink()


def test_weights_in_a_pickle_are_refused(base: Path):
    _as_pickle(base)
    with pytest.raises(SwitchboardError, match=r"base_model=.*base: no \*\.safetensors file in this folder"):
        make_ready(tiny_recipe(base))


def test_a_network_is_never_made_of_a_pickle(base: Path):
    _as_pickle(base)
    with pytest.raises(OSError, match=r"model\.safetensors"):
        MessageClassifier(str(base), 8, "mean", 0.1)


def test_every_file_of_weights_counts(base: Path):
    alone = base_model_digest(str(base))
    assert alone == file_digest(base / "model.safetensors")
    save_file({"more": torch.zeros(2)}, base / "model-00002-of-00002.safetensors")
    both = base_model_digest(str(base))
    save_file({"more": torch.ones(2)}, base / "model-00002-of-00002.safetensors")
    assert len({alone, both, base_model_digest(str(base))}) == 3


def test_a_hubs_model_is_found_where_it_was_kept_and_known_by_its_weights(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    assert locate_base_model("acme/tiny") == "acme/tiny" == base_model_digest("acme/tiny")
    kept = tmp_path / "hub" / "models--acme--tiny"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("c0ffee")
    found = Path(shutil.copytree(base, kept / "snapshots" / "c0ffee"))
    assert locate_base_model("acme/tiny") == str(found)
    assert base_model_digest(str(found)) == file_digest(base / "model.safetensors")
    (found / "model.safetensors").unlink()
    assert locate_base_model("acme/tiny") == "acme/tiny", "what is not wholly here is for the hub to complete"
    (found / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-1.safetensors"}}')
    assert locate_base_model("acme/tiny") == "acme/tiny"
    shutil.copy(base / "model.safetensors", found / "model-1.safetensors")
    assert locate_base_model("acme/tiny") == str(found)


def test_what_was_fetched_comes_before_the_hub(base: Path, var_dir: Path):
    fetched = Path(shutil.copytree(base, var_dir / "encoders" / "acme" / "tiny"))
    assert locate_base_model("acme/tiny") == str(fetched)
    (fetched / "model.safetensors").unlink()
    assert locate_base_model("acme/tiny") == "acme/tiny"


def test_what_no_hub_can_have_is_left_for_the_loader_to_refuse(tmp_path: Path):
    assert locate_base_model(str(tmp_path / "absent")) == str(tmp_path / "absent")
