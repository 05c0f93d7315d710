"""Label Studio's own environment: it pins what ours pins otherwise, so the two never share one."""

import os
import subprocess
import sys
from pathlib import Path

from configs.errors import SwitchboardError
from configs.paths import var_dir

LOCK = Path(__file__).with_name("label-studio.lock")


def environment_dir() -> Path:
    """Return the folder of Label Studio's environment: SWITCHBOARD_LS_VENV, else under the run-time folder."""
    return Path(os.environ.get("SWITCHBOARD_LS_VENV") or var_dir() / "label-studio" / "venv").resolve()


def ensure_installed(folder: Path) -> Path:
    """Return the program `label-studio` in `folder`, installed from the lock where it is missing or outdated."""
    program, stamp, wanted = folder / "bin" / "label-studio", folder / "installed.lock", LOCK.read_bytes()
    if program.exists() and stamp.exists() and stamp.read_bytes() == wanted:
        return program
    _run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    # The lock is complete: nothing is resolved, which makes minutes out of a quarter of an hour.
    _run([*pip, "--no-deps", "--no-compile", "-r", str(LOCK)])
    stamp.write_bytes(wanted)
    return program


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SwitchboardError(
            f"Label Studio could not be installed ({said[-1] if said else 'no reason given'}); check the network "
            "and the package index, or name a running server with LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY"
        )
