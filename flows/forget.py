"""Label Studio as one of the places that a person's words are erased from."""

import os
from collections.abc import Sequence

from configs.labeling import Labeling
from configs.paths import var_dir
from data.erasure import Erasure, Store
from labeling.client import Client, connect
from labeling.known import Known, opened
from labeling.pages import read_new
from labeling.project import Project, find_projects
from labeling.server import running_url
from labeling.tasks import key_of, quote


def named_stores(labeling: Labeling) -> tuple[Store, ...]:
    """Return the servers that may hold texts: Label Studio, if one is configured, runs here, or was ever pushed to."""
    used = os.environ.get("LABEL_STUDIO_URL") or running_url() or (var_dir() / "labeling" / "known.db").exists()
    return (label_studio(labeling),) if used else ()


def label_studio(labeling: Labeling) -> Store:
    """Return the Label Studio that is configured or running as a store."""

    def erase(erasure: Erasure) -> tuple[int, Sequence[str]]:
        with connect(labeling.patience_s) as client, opened() as known:
            erased = sum(
                _erase(client, project, known, erasure, labeling) for project in find_projects(client, labeling)
            )
        return erased, [
            "Label Studio: exports, backups and server logs made before; deleting those is the server's owner's"
        ]

    return Store("Label Studio", erase)


def _erase(client: Client, project: Project, known: Known, erasure: Erasure, labeling: Labeling) -> int:
    """Delete the tasks on the erased messages, with their annotations, and empty the quotes in answers to them."""
    erased = 0
    quotes = {quote(message.text) for message in erasure.messages}  # an answer's parent may not be known by its id
    for rows in read_new(client, project.id, 0, labeling.page_size):
        for row in rows:
            key = key_of(row["data"])
            if key is not None and key[1] in erasure.ids:
                client.delete(f"/api/tasks/{row['id']}/")
                known.remove(project.uid, [row["id"]])
                erased += 1
            elif (shown := row["data"].get("answers")) and (shown in quotes or (key and key[1] in erasure.answers)):
                client.patch(f"/api/tasks/{row['id']}/", {"data": row["data"] | {"answers": ""}})
    return erased
