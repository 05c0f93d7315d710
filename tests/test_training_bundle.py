"""A bundle: whole and unchanged, or refused with the file and the fault."""

import json
import shutil
from pathlib import Path

import pytest

from training.bundle import FILES, INFO, MANIFEST, BundleError, read_info, seal, verify
from training.predictor import Predictor


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


def _change_info(bundle: Path, **changes: object) -> None:
    info = json.loads((bundle / INFO).read_text(encoding="utf-8"))
    (bundle / INFO).write_text(json.dumps(info | changes), encoding="utf-8")
    seal(bundle)


def test_a_whole_bundle_has_one_digest_wherever_it_lies(bundle: Path, tiny_bundle: Path):
    assert verify(bundle) == verify(tiny_bundle)
    assert read_info(bundle).name == "tiny"


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_named(bundle: Path, name: str):
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    with pytest.raises(BundleError, match=rf"{name}: damaged or changed"):
        verify(bundle)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_or_missing_file_is_named(bundle: Path, name: str):
    content = (bundle / name).read_bytes()
    (bundle / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match=name):
        Predictor(bundle)
    (bundle / name).unlink()
    with pytest.raises(BundleError, match=rf"{name}: missing"):
        verify(bundle)


@pytest.mark.parametrize("manifest", [None, "", "{", "{}", "[]", '"text"'])
def test_a_folder_without_a_proper_manifest_is_no_bundle(bundle: Path, manifest: str | None):
    (bundle / MANIFEST).unlink() if manifest is None else (bundle / MANIFEST).write_text(manifest, encoding="utf-8")
    with pytest.raises(BundleError):
        verify(bundle)


def test_a_missing_folder_is_said_to_be_missing(tmp_path: Path):
    with pytest.raises(BundleError, match="no such bundle folder"):
        verify(tmp_path / "absent")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 99}, "bundle format 99"),
        ({"taxonomy_version": "0"}, "made for taxonomy 0"),
        ({"labels": ["spam", "ham"]}, "made for taxonomy"),
        ({"calibration": {"temperature": -1}}, "cannot be read"),
        ({"surprise": 1}, "cannot be read"),
    ],
)
def test_a_sealed_bundle_of_another_kind_is_refused(bundle: Path, changes: dict[str, object], said: str):
    _change_info(bundle, **changes)
    with pytest.raises(BundleError, match=said):
        Predictor(bundle)


@pytest.mark.parametrize("changed", [{"temperature": 9.0}, {"doubt_shift": 3.0}])
def test_wrong_golden_predictions_are_never_served(bundle: Path, changed: dict[str, float]):
    _change_info(bundle, calibration=read_info(bundle).calibration.model_dump() | changed)
    with pytest.raises(BundleError, match="golden predictions differ"):
        Predictor(bundle).check_golden()
