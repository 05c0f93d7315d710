"""The labelers' loop against a real Label Studio: set up, push, annotate, pull."""

import pytest

from labeling.known import opened
from labeling.project import find_project, set_up
from labeling.push import push
from tests.teams import TAXONOMY, TEXTS

pytestmark = pytest.mark.xdist_group("labelstudio")  # one server for all of them


def test_setting_up_twice_changes_nothing_more(team):
    assert set_up(team.admin, team.labeling, TAXONOMY)[1] == "made"
    project, done = set_up(team.admin, team.labeling, TAXONOMY)
    assert done == "unchanged"
    assert project.taxonomy_version == TAXONOMY.version


def test_pushing_twice_makes_each_task_once(team):
    team.set_up()
    assert (team.push().new, team.push().new) == (4, 0)
    assert sorted(team.tasks()) == sorted(TEXTS)


def with_second_labelers(team, page_size: int) -> None:
    team.labeling = team.labeling.model_copy(update={"twice_share": 0.5, "page_size": page_size})
    team.set_up()


def shown_to_two(team) -> tuple[int, int]:
    """Return how many a task may be shown to at most, and how many tasks are shown to two."""
    project = team.set_up().id
    most = team.admin.get(f"/api/projects/{project}")["maximum_annotations"]
    return most, sum(task["overlap"] == 2 for task in team.tasks().values())


@pytest.mark.parametrize("page_size", [1, 4])
def test_however_many_pages_a_share_of_the_tasks_is_for_two_labelers(team, page_size):
    with_second_labelers(team, page_size)
    team.push()
    assert shown_to_two(team) == (2, 2)


def test_many_pages_that_break_off_leave_tasks_for_one_labeler_until_the_next_push(team):
    with_second_labelers(team, page_size=1)

    def break_off(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with opened(team.folder) as known, pytest.raises(KeyboardInterrupt):
        push(team.admin, team.ledger, team.labeling, TAXONOMY, known, break_off)
    assert find_project(team.admin, team.labeling, TAXONOMY).labelers == 1
    assert team.push().new == 3
    assert shown_to_two(team) == (2, 2)


def test_a_task_shows_the_prediction_and_a_blind_one_no_trace_of_it(team):
    team.set_up()
    team.push()
    shown, blind = team.tasks()["m-1"], team.tasks()["m-4"]
    assert shown["predictions"][0]["result"][0]["value"]["choices"] == ["request"]
    assert shown["predictions"][0]["score"] == 0.9
    assert shown["data"]["said"] == "The model: Request, 90% sure"
    assert blind["predictions"] == []
    assert (blind["data"]["said"], blind["data"]["model_version"]) == ("", "")


def test_why_a_message_was_chosen_stays_in_the_ledger(team):
    team.set_up()
    team.push()
    assert "random" not in str(team.tasks()["m-1"]["data"])


def test_an_annotation_becomes_an_event_with_who_how_long_and_what_the_model_had_said(team):
    team.set_up()
    team.push()
    team.annotate("ann", "m-3", "abuse", seconds=6.5)
    assert team.pull().labels == 1
    (event,) = team.events()
    assert (event.message_id, event.label, event.seconds) == ("m-3", "abuse", 6.5)
    assert event.annotator == team.people["ann"].get("/api/current-user/whoami")["email"]
    assert (event.model_version, event.model_label, event.model_confidence) == ("v3", "praise", 0.4)
    assert (event.origin, event.kind) == ("labeler", "label")


def test_a_blind_label_knows_what_the_model_had_said_from_the_ledger(team):
    team.set_up()
    team.push()
    team.annotate("ben", "m-4", "praise")
    team.pull()
    assert (team.events()[0].model_label, team.events()[0].model_version) == ("praise", "v3")


def test_pulling_twice_adds_nothing(team):
    team.set_up()
    team.push()
    team.annotate("ann", "m-1", "request")
    assert (team.pull().labels, team.pull().labels) == (1, 0)


def test_two_labelers_on_one_task_are_two_events(team):
    team.set_up()
    team.push()
    team.annotate("ann", "m-1", "request")
    team.annotate("ben", "m-1", "abuse")
    team.pull()
    assert [(event.annotator[:3], event.label) for event in team.events()] == [("ann", "request"), ("ben", "abuse")]


def test_a_changed_annotation_is_a_second_event_in_place_of_the_first(team):
    team.set_up()
    team.push()
    annotation = team.annotate("ann", "m-1", "request")
    team.pull()
    choice = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["abuse"]}}
    team.people["ann"].patch(f"/api/annotations/{annotation}/", {"result": [choice]})
    team.pull()
    first, second = team.events()
    assert (first.label, second.label, first.subject) == ("request", "abuse", second.subject)


def test_skipping_and_being_unsure_are_no_labels(team):
    team.set_up()
    team.push()
    team.annotate("ann", "m-1", "", cancelled=True)
    team.annotate("ann", "m-2", "unsure")
    assert team.pull().skips == 2
    assert {event.kind for event in team.events()} == {"skip"}


def test_a_deleted_annotation_is_taken_back_once(team):
    team.set_up()
    team.push()
    annotation = team.annotate("ann", "m-1", "request")
    team.pull()
    team.people["ann"].delete(f"/api/annotations/{annotation}/")
    assert (team.pull().retracted, team.pull().retracted) == (1, 0)
    assert [event.kind for event in team.events()] == ["label", "retract"]


def test_a_second_label_and_a_note_come_along(team):
    team.set_up()
    team.push()
    result = [
        {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["request"]}},
        {"from_name": "second", "to_name": "text", "type": "choices", "value": {"choices": ["abuse"]}},
        {"from_name": "note", "to_name": "text", "type": "textarea", "value": {"text": ["quite angry"]}},
    ]
    team.people["ann"].create(f"/api/tasks/{team.tasks()['m-1']['id']}/annotations/", {"result": result})
    team.pull()
    assert (team.events()[0].second, team.events()[0].note) == (("abuse",), "quite angry")


def test_a_task_whose_text_was_changed_gives_no_label(team):
    team.set_up()
    team.push()
    task = team.tasks()["m-1"]
    team.admin.patch(f"/api/tasks/{task['id']}/", {"data": task["data"] | {"text": "something else"}})
    team.annotate("ann", "m-1", "request")
    pulled = team.pull()
    assert (pulled.labels, pulled.changed) == (0, 1)


def test_erasing_a_message_reaches_label_studio(team):
    team.set_up()
    team.push()
    team.ledger.messages.erase(["m-1"])
    assert team.push().erased == 1
    assert "m-1" not in team.tasks()


def test_a_labelled_message_is_not_pushed_to_a_new_server(team):
    project = team.set_up()
    team.push()
    team.annotate("ann", "m-1", "request")
    team.pull()
    team.admin.delete(f"/api/projects/{project.id}/")
    team.set_up()
    assert team.push().new == 3
