"""Reading tasks in pages from a server that gives fewer at a time than it is asked for (TASK_API_PAGE_SIZE_MAX)."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from labeling.pages import read_changed, read_new

MOST = 3
MOMENTS = [f"2026-01-01T00:00:0{second}.000000Z" for second in (0, 1, 1, 1, 1, 2, 3)]
ROWS = [{"id": number + 1, "updated_at": moment} for number, moment in enumerate(MOMENTS)]


class Capped:
    """A client of a server with seven tasks, four of which changed in one moment."""

    def ask(self, what: str, call: Any) -> Any:
        return call(SimpleNamespace(tasks=self))

    def list(self, *, query: str, page: int, page_size: int, **_: Any) -> Any:
        (asked,) = json.loads(query)["filters"]["items"]
        if asked["operator"] == "greater":
            found = [row for row in ROWS if row["id"] > asked["value"]]
        else:
            found = [row for row in ROWS if row["updated_at"] >= asked["value"]]
        size = min(page_size, MOST)
        part = [SimpleNamespace(model_dump=lambda row=row, **_: row) for row in found[(page - 1) * size : page * size]]
        return SimpleNamespace(items=part, response=SimpleNamespace(total=len(found)))


@pytest.mark.parametrize("size", [2, MOST, 500])
@pytest.mark.parametrize(
    "read", [lambda size: read_new(Capped(), 1, 0, size), lambda size: read_changed(Capped(), 1, "", size)]
)
def test_no_task_is_left_out(read, size):
    assert {row["id"] for rows in read(size) for row in rows} == {row["id"] for row in ROWS}
