"""What may go wrong between us and Label Studio: one clear error each, and nothing lost or doubled."""

import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import jwt
import pytest

from configs.errors import SwitchboardError
from labeling.client import Client, LabelStudioError
from labeling.known import opened
from labeling.project import set_up
from labeling.push import push
from tests.flaky import GONE, LOST, Flaky, before
from tests.labelstudio import free_port
from tests.teams import TAXONOMY, TEXTS

pytestmark = pytest.mark.xdist_group("labelstudio")

IMPORT = ("POST", "/import")


@pytest.fixture
def flaky(label_studio) -> Iterator[Flaky]:
    with before(label_studio.url) as proxy:
        yield proxy


def through(flaky: Flaky, label_studio, patience_s: float = 5.0) -> Client:
    return Client(flaky.url, label_studio.account.token, patience_s)


def count_tasks(team) -> int:
    return team.admin.get("/api/tasks", project=team.set_up().id, page_size=100)["total"]


def test_a_wrong_key_is_named_with_its_remedy(label_studio):
    with pytest.raises(LabelStudioError, match=r"refuses the key.*LABEL_STUDIO_API_KEY"):
        label_studio.client("wrong").get("/api/projects")


def test_no_server_says_how_to_start_one():
    with pytest.raises(LabelStudioError, match=r"no answer.*switchboard label up"):
        Client(f"http://127.0.0.1:{free_port()}", "key", patience_s=0.2).get("/api/projects")


@pytest.fixture
def personal_token(admin) -> Iterator[str]:
    """Yield a token as a person makes one; a user may have one at a time."""
    token = admin.create("/api/token/", {})["token"]
    yield token
    with suppress(LabelStudioError):
        admin.create("/api/token/blacklist/", {"refresh": token})


def test_a_personal_access_token_works_and_its_short_lived_part_is_renewed(label_studio, personal_token):
    client = label_studio.client(personal_token)
    assert client.get("/api/current-user/whoami")["email"] == label_studio.account.username
    foreign = jwt.encode({"exp": time.time() + 300}, "signed by somebody else, at length")
    assert client._sdk is not None
    client._sdk._client_wrapper._tokens_client._access_token = foreign  # fresh to the SDK, nothing to the server
    assert client.get("/api/current-user/whoami")["email"] == label_studio.account.username


def test_a_withdrawn_token_is_named_with_its_remedy(label_studio, admin, personal_token):
    admin.create("/api/token/blacklist/", {"refresh": personal_token})
    with pytest.raises(LabelStudioError, match="refuses the key"):
        label_studio.client(personal_token).get("/api/projects")


def test_an_expired_token_is_named_with_its_remedy(label_studio):
    expired = jwt.encode({"exp": time.time() - 60, "token_type": "refresh"}, "signed by somebody else, at length")
    with pytest.raises(LabelStudioError, match=r"refuses the key.*LABEL_STUDIO_API_KEY"):
        label_studio.client(expired).get("/api/projects")


def test_busy_answers_are_waited_out(label_studio, flaky):
    flaky.faults = {("GET", "/api/projects"): [503, 429, GONE, 502]}
    assert "results" in through(flaky, label_studio, patience_s=30).get("/api/projects")


def test_an_import_that_was_done_but_not_answered_is_not_done_again(team, label_studio, flaky):
    team.set_up()
    flaky.faults = {IMPORT: [LOST, LOST]}
    assert team.push(through(flaky, label_studio)).new == 4
    assert count_tasks(team) == 4


def test_an_import_that_was_refused_is_done_again(team, label_studio, flaky):
    team.set_up()
    flaky.faults = {IMPORT: [GONE, 503, 500, 429]}
    assert team.push(through(flaky, label_studio)).new == 4
    assert count_tasks(team) == 4


def test_a_server_that_goes_in_mid_push_leaves_a_push_to_finish(team, label_studio, flaky):
    team.set_up()
    client = through(flaky, label_studio, patience_s=0.3)

    def leave(done: int, total: int) -> None:
        flaky.gone = True

    with opened(team.folder) as known, pytest.raises(LabelStudioError):
        push(client, team.ledger, team.labeling, TAXONOMY, known, leave)
    assert count_tasks(team) == 2
    assert (team.push().new, count_tasks(team)) == (2, 4)


def test_losing_what_we_remember_doubles_nothing(team):
    team.set_up()
    team.push()
    (team.folder / "known.db").unlink()
    assert (team.push().new, count_tasks(team)) == (0, 4)


def test_a_task_that_was_doubled_is_removed(team):
    team.set_up()
    team.push()
    double = team.tasks()["m-1"]["data"]
    team.admin.create(f"/api/projects/{team.set_up().id}/import", [{"data": double}])
    assert (team.push().doubles, count_tasks(team)) == (1, 4)


def test_a_server_that_goes_in_mid_pull_leaves_a_pull_to_finish(team, label_studio, flaky):
    team.set_up()
    team.push()
    for name in TEXTS:
        team.annotate("ann", name, "request")
    client = through(flaky, label_studio, patience_s=0.3)
    flaky.faults = {("GET", "/api/users"): [0], ("GET", "/api/tasks"): [0, 0, *[GONE] * 99]}
    with pytest.raises(LabelStudioError, match="nothing is lost"):
        team.pull(client)
    taken = len(team.events())
    assert 0 < taken < 4
    team.pull()
    assert sorted(event.message_id for event in team.events()) == sorted(TEXTS)


def test_a_server_that_is_busy_in_mid_pull_is_waited_for(team, label_studio, flaky):
    team.set_up()
    team.push()
    for name in TEXTS:
        team.annotate("ann", name, "request")
    flaky.faults = {("GET", "/api/tasks"): [0, 0, 503, 429, 500, GONE, LOST]}
    assert team.pull(through(flaky, label_studio, patience_s=30)).labels == 4
    assert sorted(event.message_id for event in team.events()) == sorted(TEXTS)


def test_a_deleted_project_is_said_so_and_loses_no_label(team):
    project = team.set_up()
    team.push()
    team.annotate("ann", "m-1", "request")
    team.pull()
    team.admin.delete(f"/api/projects/{project.id}/")
    for step in (team.push, team.pull):
        with pytest.raises(SwitchboardError, match=r"no project.*label setup"):
            step()
    assert len(team.events()) == 1


def test_a_label_renamed_by_hand_stops_pushing_and_is_named_by_pulling(team):
    project = team.set_up()
    team.push()
    renamed = project.interface.replace('alias="request"', 'alias="complaint"')
    predictions = [row["predictions"][0]["id"] for row in team.tasks().values() if row["predictions"]]
    for prediction in predictions:
        team.admin.delete(f"/api/predictions/{prediction}/")
    team.admin.patch(f"/api/projects/{project.id}/", {"label_config": renamed})
    with pytest.raises(SwitchboardError, match=r"changed by hand \(complaint, request\).*label setup"):
        team.push()
    result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["complaint"]}}]
    ids = {row["data"]["message_id"]: row["id"] for row in team.admin.get("/api/tasks", project=project.id)["tasks"]}
    wrong = team.people["ann"].create(f"/api/tasks/{ids['m-1']}/annotations/", {"result": result})["id"]
    result[0]["value"] = {"choices": ["praise"]}
    team.people["ann"].create(f"/api/tasks/{ids['m-4']}/annotations/", {"result": result})
    with pytest.raises(SwitchboardError, match=r"does not know \(complaint\).*label setup"):
        team.pull()
    assert [event.label for event in team.events()] == ["praise"]
    team.people["ann"].delete(f"/api/annotations/{wrong}/")
    assert team.set_up().interface == project.interface
    assert team.pull().labels == 0


def test_a_new_taxonomy_gets_a_project_of_its_own_and_old_labels_still_come(team):
    team.set_up()
    team.push()
    team.annotate("ann", "m-1", "request")
    newer = TAXONOMY.model_copy(update={"version": "2"})
    with opened(team.folder) as known, pytest.raises(SwitchboardError, match=r"taxonomy 2.*label setup"):
        push(team.admin, team.ledger, team.labeling, newer, known)
    project, done = set_up(team.admin, team.labeling, newer)
    assert (done, project.taxonomy_version) == ("made", "2")
    team.pull()
    assert [event.taxonomy_version for event in team.events()] == ["1"]


def test_another_project_of_the_same_name_is_left_alone(team):
    team.admin.create("/api/projects", {"title": team.labeling.project})
    with pytest.raises(SwitchboardError, match="is not ours; rename it"):
        team.set_up()


def test_two_projects_of_ours_with_one_name_are_not_guessed_between(team):
    project = team.set_up()
    team.admin.create("/api/projects", {"title": team.labeling.project, "label_config": project.interface})
    with pytest.raises(SwitchboardError, match="2 projects"):
        team.push()


def test_a_second_push_at_the_same_time_is_refused(team):
    team.set_up()
    with opened(team.folder), pytest.raises(SwitchboardError, match="under way"):
        team.push()


def test_an_address_that_is_no_label_studio_is_said_so(flaky):
    flaky.faults = {("GET", "/"): [200]}
    with httpx.Client() as plain:
        assert plain.get(flaky.url).status_code == 200
    with pytest.raises(LabelStudioError):
        Client("ftp://nowhere", "key", 0.1).get("/api/projects")
