"""The project on the server: found by name and mark, made or updated, and compared with what we would make."""

from dataclasses import dataclass
from typing import Any

from configs.errors import SwitchboardError
from configs.labeling import Labeling
from configs.taxonomy import Taxonomy
from labeling.client import Client
from labeling.interface import UNSURE, answers_of, build_instructions, build_interface, taxonomy_version_of
from labeling.sdk import PATIENT

PRELABEL = "switchboard"  # Label Studio pre-fills predictions of one version only; the real one stands in the task


@dataclass(frozen=True, slots=True)
class Project:
    """A project of ours; `uid` stays the same whatever address the server has, and is never used again."""

    id: int
    uid: str
    title: str
    interface: str
    labelers: int  # how many a task is shown to at most

    @property
    def taxonomy_version(self) -> str:
        """The taxonomy its interface was made for."""
        return taxonomy_version_of(self.interface) or ""


def set_up(client: Client, labeling: Labeling, taxonomy: Taxonomy) -> tuple[Project, str]:
    """Return our project and what was done: `made`, `updated` or `unchanged`; one per taxonomy version."""
    wanted = _wanted(labeling, taxonomy)
    found = _find(client, labeling, taxonomy)
    if found is None:
        made = client.make("a new project", lambda sdk: sdk.projects.create(**wanted, request_options=PATIENT))
        return _read(made), "made"
    differing = {name: value for name, value in wanted.items() if getattr(found, name) != value}
    if found.model_version not in {None, "", PRELABEL}:
        differing["model_version"] = PRELABEL  # somebody chose another, which leaves our predictions unseen
    if not differing:
        return _read(found), "unchanged"
    number = found.id
    updated = client.ask(f"project {number}", lambda sdk: sdk.projects.update(number, **differing))
    return _read(updated), "updated"


def find_project(client: Client, labeling: Labeling, taxonomy: Taxonomy) -> Project:
    """Return the project for this taxonomy, whose interface must still give our labels."""
    found = _find(client, labeling, taxonomy)
    if found is None:
        raise SwitchboardError(
            f"Label Studio at {client.url} has no project {title_of(labeling, taxonomy)!r}; make it with "
            "`switchboard label setup` (labels pulled before are safe in the ledger)"
        )
    project = _read(found)
    expected = {*taxonomy.annotation_values, UNSURE}
    if answers_of(project.interface) != expected:
        changed = sorted(answers_of(project.interface) ^ expected)
        raise SwitchboardError(
            f"the interface of project {project.title!r} was changed by hand ({', '.join(changed)}); "
            "`switchboard label setup` restores it, then run this again"
        )
    return project


def find_projects(client: Client, labeling: Labeling) -> list[Project]:
    """Return our projects for every taxonomy version, oldest first: labels given under an old one still count."""
    return [_read(row) for row in _listed(client, labeling.project) if taxonomy_version_of(row.label_config or "")]


def title_of(labeling: Labeling, taxonomy: Taxonomy) -> str:
    """Return the project's title: a new taxonomy version gets a project of its own, as answers differ."""
    return labeling.project if taxonomy.version == "1" else f"{labeling.project} taxonomy {taxonomy.version}"


def _find(client: Client, labeling: Labeling, taxonomy: Taxonomy) -> Any:
    title = title_of(labeling, taxonomy)
    named = [row for row in _listed(client, title) if row.title == title]
    ours = [row for row in named if taxonomy_version_of(row.label_config or "")]
    if len(ours) > 1:
        ids = ", ".join(str(row.id) for row in ours)
        raise SwitchboardError(
            f"Label Studio has {len(ours)} projects {title!r} (ids {ids}); rename or delete all but one"
        )
    if named and not ours:
        raise SwitchboardError(
            f"Label Studio has a project {title!r} (id {named[0].id}) that is not ours; rename it, or set another "
            "name under `project:` in configs/labeling.yaml"
        )
    return ours[0] if ours else None


def _listed(client: Client, title: str) -> list[Any]:
    """Return the SDK's projects whose title contains `title`, oldest first."""
    rows: list[Any] = []
    number = 1
    while True:
        page = client.ask(
            "the list of projects",
            lambda sdk, number=number: sdk.projects.list(title=title, page=number, page_size=100),
        )
        rows.extend(page.items or [])
        if not page.response.next:
            return sorted(rows, key=lambda row: row.id)
        number += 1


def _wanted(labeling: Labeling, taxonomy: Taxonomy) -> dict[str, Any]:
    return {
        "title": title_of(labeling, taxonomy),
        "label_config": build_interface(taxonomy, labeling.screen),
        "expert_instruction": build_instructions(taxonomy, labeling.screen),
        "show_instruction": True,
        "show_collab_predictions": True,
        "sampling": "Sequential sampling",
        "show_skip_button": True,
        "enable_empty_annotation": True,
        "maximum_annotations": labeling.labelers,
        "overlap_cohort_percentage": round(100 * labeling.twice_share) if labeling.twice_share > 0 else 100,
        "show_overlap_first": False,
    }


def _read(row: Any) -> Project:
    made = row.created_at.replace(tzinfo=None).isoformat()
    digits = "".join(character for character in made if character.isdigit())
    return Project(row.id, f"{row.id}-{digits}", row.title, row.label_config or "", row.maximum_annotations or 1)
