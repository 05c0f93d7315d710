"""Reading many tasks: by keyset, so that tasks that change meanwhile are neither lost nor seen for ever."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from labeling.client import Client
from labeling.sdk import PATIENT

# Label Studio filters an annotation's fields by the same list as the task's.
_WITH_ANNOTATIONS = (
    "id,data,updated_at,annotations,predictions,result,was_cancelled,lead_time,completed_by,created_at,score"
)
_Fields = Literal["all", "task_only"]
_BEGINNING = "1970-01-01T00:00:00.000000Z"


def read_new(client: Client, project: int, after: int, size: int) -> Iterator[list[dict[str, Any]]]:
    """Yield pages of tasks (id, data, number of annotations) whose id is greater than `after`, by id."""
    while True:
        query = _query("id", "greater", "Number", after)
        rows, total = _page(client, project, query, 1, size, include="id,data,total_annotations")
        if rows:
            yield rows
        if not rows or total <= len(rows):  # a server may give fewer than asked for
            return
        after = rows[-1]["id"]


def read_changed(client: Client, project: int, since: str, size: int) -> Iterator[list[dict[str, Any]]]:
    """Yield pages of tasks with annotations and predictions, changed at or after `since`, oldest change first."""
    since, page, seen = since or _BEGINNING, 1, 0
    while True:
        query = _query("updated_at", "greater_or_equal", "Datetime", since)
        rows, total = _page(client, project, query, page, size, include=_WITH_ANNOTATIONS, fields="all")
        seen += len(rows)
        if rows:
            yield rows
        if not rows or total <= seen:
            return
        last = with_microseconds(rows[-1]["updated_at"])
        # More tasks than fit a page changed in one moment: turn the page; else start again from that moment.
        since, page, seen = (since, page + 1, seen) if last == since else (last, 1, 0)


def count_changed(client: Client, project: int, since: str) -> int:
    """Return how many tasks changed at or after `since`."""
    query = _query("updated_at", "greater_or_equal", "Datetime", since or _BEGINNING)
    return _page(client, project, query, 1, 1, include="id")[1]


def with_microseconds(moment: str) -> str:
    """Return a moment as Label Studio's filter wants it; its own answers leave out a fraction of zero."""
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _page(
    client: Client, project: int, query: str, page: int, size: int, *, include: str, fields: _Fields = "task_only"
) -> tuple[list[dict[str, Any]], int]:
    answer = client.ask(
        f"the tasks of project {project}",
        lambda sdk: sdk.tasks.list(
            project=project,
            page=page,
            page_size=size,
            query=query,
            include=include,
            fields=fields,
            request_options=PATIENT,
        ),
    )
    # The SDK gives predictions as objects and annotations as they came; written out again, all of it is as it came.
    rows = [task.model_dump(mode="json", exclude_unset=True) for task in answer.items or []]
    return rows, answer.response.total


def _query(column: str, operator: str, kind: str, value: Any) -> str:
    condition = {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}
    return json.dumps({"filters": {"conjunction": "and", "items": [condition]}, "ordering": [f"tasks:{column}"]})
