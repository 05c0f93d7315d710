from pathlib import Path

import jsonschema
import pytest

from configs.serving import Limits
from configs.taxonomy import load_taxonomy
from serving.examples import ANSWER, CALL, CORRECTION, OVERLOADED
from serving.openapi import describe
from tests.serving import running


@pytest.fixture(scope="module")
def client(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory):
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        running(tiny_bundle, monkeypatch, tmp_path_factory.mktemp("var")) as it,
    ):
        yield it


def validate(value: object, name: str) -> None:
    description = describe(Limits(), "1")
    jsonschema.validate(value, {"$ref": f"#/components/schemas/{name}", "components": description["components"]})


def test_the_label_is_always_one_of_the_eight():
    assert describe(Limits(), "1")["components"]["schemas"]["Label"]["enum"] == list(load_taxonomy().labels)


@pytest.mark.parametrize(("example", "name"), [
    (CALL, "Call"), (CALL["messages"][0], "Message"), (ANSWER, "Answer"), (CORRECTION, "Correction"), (OVERLOADED, "Refusal"),
])  # fmt: skip
def test_examples_are_what_the_schemas_say(example, name):
    validate(example, name)


def test_the_example_is_answered_as_described(client):
    answer = client.post("/classify", json=CALL).json()
    validate(answer, "Answer")
    shown, found = ANSWER["results"], answer["results"]
    assert set(found[0]) == set(shown[0]) and set(found[0]["route"]) == set(shown[0]["route"])
    assert found[1] == shown[1]


def test_every_path_is_described_and_every_description_served(client):
    described = {
        (path, method.upper())
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method in methods
    }
    served = {(route.path, method) for route in client.app.routes for method in route.methods - {"HEAD"}}
    assert described == served - {("/openapi.json", "GET")}
