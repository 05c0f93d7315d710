import os
from pathlib import Path

import pytest

from configs.processors import usable_processors
from configs.serving import ServingSettings
from serving import desk

ALL = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("limit", "expected"), [
    ("max 100000", ALL), ("1000000000 100000", ALL), ("150000 100000", min(2, ALL)), ("50000 100000", 1),
    ("not a limit", ALL),
])  # fmt: skip
def test_a_containers_limit_bounds_them(tmp_path: Path, limit: str, expected: int):
    (tmp_path / "cpu.max").write_text(limit + "\n")
    assert usable_processors(tmp_path) == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", ALL), ("100000", 1), ("20000", 1)])
def test_the_older_cgroups_say_it_in_two_files(tmp_path: Path, quota: str, expected: int):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_processors(tmp_path) == expected


def test_without_cgroups_all_are_usable(tmp_path: Path):
    assert usable_processors(tmp_path) == ALL


@pytest.mark.parametrize(("asked", "processors", "expected"), [(0, 4, 4), (0, 1, 2), (1, 4, 1), (3, 2, 3)])
def test_a_batch_is_scored_on_each_unless_the_settings_say_otherwise(
    monkeypatch: pytest.MonkeyPatch, asked: int, processors: int, expected: int
):
    monkeypatch.setattr(desk, "usable_processors", lambda: processors)
    assert desk.scoring_threads(ServingSettings(threads=asked)) == expected
