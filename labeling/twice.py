"""Two labelers for some tasks: put off while many pages come in, as the server chooses those tasks anew at each.

Label Studio goes through every task of the project at each import to choose which are shown to a second labeler, so
that a hundred thousand tasks in pages would take it time that grows with their square.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from labeling.client import Client
from labeling.project import Project
from labeling.sdk import PATIENT

_WORTH = 3  # pages; switching off and on goes through every task twice


@contextmanager
def chosen_once(client: Client, project: Project, labelers: int, pages: int) -> Iterator[None]:
    """Have the server choose the tasks for a second labeler once at the end, and not at each of many pages.

    Meanwhile every task is for one labeler; where the block breaks off it stays so until the next one that ends.
    """
    now = project.labelers
    if labelers > 1 and now > 1 and pages > _WORTH:
        _set(client, project, 1)
        now = 1
    yield
    if labelers > 1 and now == 1:
        _set(client, project, labelers)


def _set(client: Client, project: Project, labelers: int) -> None:
    client.ask(
        f"project {project.id}",
        lambda sdk: sdk.projects.update(project.id, maximum_annotations=labelers, request_options=PATIENT),
    )
