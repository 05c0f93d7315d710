"""How many processors this process may use."""

import os
from math import ceil
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_NO_LIMIT = 65_536.0


def usable_processors(cgroup: Path = _CGROUP) -> int:
    """Return the processors that this process may run on, and no more than its container has time for: at least one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, ceil(_quota(cgroup))))


def _quota(cgroup: Path) -> float:
    """Return the processors' worth of time that a container's limit allows (cgroup v2, else v1); _NO_LIMIT if none."""
    try:
        if (unified := cgroup / "cpu.max").exists():
            quota, period = unified.read_text().split()
        else:
            quota, period = ((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 else _NO_LIMIT
    except (OSError, ValueError):  # "max", or no such files
        return _NO_LIMIT
