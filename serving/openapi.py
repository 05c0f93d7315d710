"""The API's description, OpenAPI 3.1: derived from the taxonomy, the limits and the closed list of errors."""

from typing import Any, get_args

from configs.playbook import Priority
from configs.serving import Limits
from configs.taxonomy import load_taxonomy
from serving.errors import STATUS, ErrorType
from serving.examples import ANSWER, CALL, CORRECTION, MODEL, OVERLOADED
from serving.feedback import NO_NUL
from serving.routing import RouteReason
from training.policy import REASONS, Outcome

Schema = dict[str, Any]
_ERRORS: tuple[ErrorType, ...] = tuple(type_ for type_ in STATUS if type_ != "not_found")


def describe(limits: Limits, version: str) -> Schema:
    """Return the whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Switchboard", "version": version, "description": _ABOUT},
        "paths": _paths(limits),
        "components": {"schemas": _schemas(limits), "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}, {}],
    }


_ABOUT = (
    "Sorts what people write to a company into eight labels and says which team should answer, how soon and how. "
    "Every message gets its own result, in order; a bad one gets a typed error and never touches its neighbours. "
    "Act on `decision: auto`; give `review` to a person."
)


def _paths(limits: Limits) -> Schema:
    read = {"200": _ok({"type": "object"}, "As it says."), **_refusals("unauthorized", "overloaded")}
    return {
        "/classify": {"post": {
            "operationId": "classify", "summary": "Sort messages",
            "description": f"At most {limits.max_items} messages and {limits.max_body_bytes} bytes a call.",
            "requestBody": _body("Call", CALL),
            "responses": {"200": _ok(_ref("Answer"), "One result a message, in order.", ANSWER), **_refusals(*_ERRORS)},
        }},
        "/feedback": {"post": {
            "operationId": "feedback", "summary": "Correct a decision",
            "description": "Appends a label event; saying the same again changes nothing.",
            "requestBody": _body("Correction", CORRECTION),
            "responses": {"200": _ok(_ref("Accepted"), "Taken; it is written with the decision log."), **_refusals(*_ERRORS, "not_found")},
        }},
        "/model": {"get": {
            "operationId": "model", "summary": "What is served, its thresholds and the limits of a call",
            "responses": {"200": _ok({"type": "object"}, "The model in service.", MODEL), **_refusals("unauthorized", "overloaded", "not_ready")},
        }},
        "/taxonomy": {"get": {"operationId": "taxonomy", "summary": "The labels and what they mean", "responses": read}},
        "/playbook": {"get": {"operationId": "playbook", "summary": "Who answers what", "responses": read}},
        "/livez": {"get": {"operationId": "livez", "summary": "The process lives", "security": [], "responses": {"200": _ok({"type": "object"}, "It does.")}}},
        "/readyz": {"get": {
            "operationId": "readyz", "summary": "A verified model is in service", "security": [],
            "responses": {"200": _ok({"type": "object"}, "It is."), **_refusals("not_ready")},
        }},
        "/metrics": {"get": {
            "operationId": "metrics", "summary": "What Prometheus reads", "security": [],
            "responses": {"200": {"description": "The series.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
        }},
    }  # fmt: skip


def _schemas(limits: Limits) -> Schema:
    labels = list(load_taxonomy().labels)
    text = {
        "type": "string",
        "description": "As the person wrote it.",
        "minLength": 1,
        "maxLength": limits.max_characters,
    }
    short = {"type": "string", "maxLength": 512}
    key = {"type": ["string", "integer"], "maxLength": 512}
    name = {"type": "string", "minLength": 1, "maxLength": 512, "pattern": NO_NUL}
    score = {"type": "number", "minimum": 0, "maximum": 1}
    return {
        "Label": {"type": "string", "enum": labels},
        "Message": _object({
            "text": text, "id": key, "channel": short, "time": {"type": "string", "format": "date-time"},
            "author": {"anyOf": [short, _object({"id": short, "reach": {"type": "integer", "minimum": 0}, "customer_tier": short}, extra=True)]},
            "sentiment": short, "customer_tier": short, "customer_id": key, "thread_id": key, "parent_id": key, "parent_text": text,
        }, ["text"], extra=True),
        "Call": _object({"messages": {
            "type": "array", "minItems": 1, "maxItems": limits.max_items,
            "description": "Each should be a Message; one that is not gets an error of its own.",
            "items": {"anyOf": [_ref("Message"), {}]},
        }}, ["messages"]),
        "Route": _object({
            "team": {"type": "string"}, "tier": {"type": "integer", "minimum": 0, "maximum": 3},
            "priority": {"enum": list(get_args(Priority))}, "respond_within_s": {"type": ["integer", "null"]},
            "due": {"type": ["string", "null"], "format": "date-time"}, "guidance": {"type": "string"},
            "next_best_action": {"type": "string"}, "rules": {"type": "array", "items": {"type": "string"}},
        }),
        "Decision": _object({
            "decision_id": {"type": "string"}, "id": {"type": "string"}, "label": _ref("Label"), "confidence": score,
            "scores": _object(dict.fromkeys(labels, score)), "decision": {"enum": list(get_args(Outcome))},
            "reason": {"enum": [*REASONS, *get_args(get_args(RouteReason)[1]), None]},
            "top": {"type": "array", "items": _ref("Label"), "minItems": 3, "maxItems": 3}, "route": _ref("Route"),
            "model_version": {"type": "string"}, "taxonomy_version": {"type": "string"},
            "playbook_version": {"type": "string"}, "request_id": {"type": "string"},
        }),
        "Error": _object({
            "type": {"type": "string", "enum": list(STATUS)}, "message": {"type": "string"}, "details": {"type": "object"},
        }),
        "Refusal": _object({"error": _ref("Error")}),
        "ItemError": _object({"id": {"type": ["string", "null"]}, "error": _ref("Error")}),
        "Versions": _object({name: {"type": "string"} for name in ("name", "version", "digest", "taxonomy_version", "playbook_version")}),
        "Answer": _object({
            "results": {"type": "array", "items": {"oneOf": [_ref("Decision"), _ref("ItemError")]}},
            "model": _ref("Versions"), "request_id": {"type": "string"},
        }),
        "Correction": {
            **_object({
                "decision_id": name, "message_id": name, "label": {"enum": list(load_taxonomy().annotation_values)},
                "annotator": name, "note": {"type": "string", "maxLength": 2000, "pattern": NO_NUL}, "feedback_id": name,
            }, ["label"]),
            "oneOf": [{"required": ["decision_id"]}, {"required": ["message_id"]}],
        },
        "Accepted": _object({"accepted": {"const": True}, "feedback_id": {"type": "string"}, "request_id": {"type": "string"}}),
    }  # fmt: skip


def _object(properties: Schema, required: list[str] | None = None, extra: bool = False) -> Schema:
    return {
        "type": "object", "properties": properties, "required": list(properties) if required is None else required,
        "additionalProperties": extra,
    }  # fmt: skip


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(name: str, example: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": _ref(name), "example": example}}}


def _ok(schema: Schema, said: str, example: Schema | None = None) -> Schema:
    content = {"schema": schema, **({"example": example} if example else {})}
    return {"description": said, "content": {"application/json": content}}


def _refusals(*types: ErrorType) -> Schema:
    return {str(STATUS[type_]): _refusal(type_) for type_ in types}


def _refusal(type_: ErrorType) -> Schema:
    found = _ok(_ref("Refusal"), f"`{type_}`", OVERLOADED if type_ == "overloaded" else None)
    if type_ == "overloaded":
        found["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return found
