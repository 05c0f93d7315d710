"""The digest of the code that decides: whatever is imported on the way counts, and nothing else."""

from pathlib import Path

from training.code import digest_of_code


def test_it_changes_with_what_is_imported_and_with_nothing_else(tmp_path: Path):
    room = tmp_path / "training"
    room.mkdir()
    (room / "warm.py").write_text("from training.loss import loss\n")
    (room / "loss.py").write_text("from data.clean import clean\nloss = 1\n")
    (room / "publish.py").write_text("shown = 1\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "clean.py").write_text("clean = 1\n")

    def digest() -> str:
        return digest_of_code("training.warm", root=tmp_path)

    first = digest()
    (room / "publish.py").write_text("shown = 2\n")
    (room / "loss.py").write_text("# why\nfrom data.clean import clean\n\nloss = 1\n")
    assert digest() == first
    (tmp_path / "data" / "clean.py").write_text("clean = 2\n")
    second = digest()
    (room / "loss.py").write_text("from data.clean import clean\nloss = 2\n")
    assert len({first, second, digest()}) == 3
