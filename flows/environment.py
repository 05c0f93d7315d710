"""What a training ran on: the machine, the interpreter and the packages that the project names, as recorded with a run."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

_PROJECT = "switchboard-triage"
_CPUINFO = Path("/proc/cpuinfo")


def describe_environment() -> dict[str, object]:
    """Return what a run depends on beside its recipe, its data and its code."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "python": platform.python_version(), "system": platform.platform(), "processor": _processor(),
        "cores": os.cpu_count(), "threads": torch.get_num_threads(), "gpu": gpu, "packages": package_versions(),
    }  # fmt: skip


def package_versions() -> dict[str, str]:
    """Return the versions of the direct dependencies that are installed, those of every extra included."""
    try:
        named = {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in requires(_PROJECT) or []}
    except PackageNotFoundError:  # a checkout that was never installed
        return {}
    found = {}
    for name in sorted(named - {_PROJECT}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # of an extra that is not installed
            continue
    return found


def _processor() -> str:
    """Return the processor's name, by the kernel where it tells."""
    lines = _CPUINFO.read_text(encoding="utf-8").splitlines() if _CPUINFO.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
