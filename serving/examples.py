"""The examples of the API's description; a test sends the calls and validates the answers."""

from typing import Any

Example = dict[str, Any]

CALL: Example = {
    "messages": [
        {
            "id": "t-1",
            "text": "@MapleMobile day four of no signal in BS5 and your checker still says everything is fine",
            "channel": "twitter",
            "author": {"id": "u-7", "reach": 1200, "customer_tier": "vip"},
            "time": "2026-11-21T09:00:00+00:00",
        },
        {"id": "t-2", "text": "   "},
    ]
}
ANSWER: Example = {
    "results": [
        {
            "decision_id": "d-6b015d9051ad34e07b6c8a10",
            "id": "t-1",
            "label": "request",
            "confidence": 0.93,
            "scores": {
                "spam": 0.01, "request": 0.93, "question": 0.01, "abuse": 0.02, "praise": 0.01, "lead": 0.01,
                "suggestion": 0.005, "fraud": 0.005,
            },
            "decision": "auto",
            "reason": None,
            "top": ["request", "abuse", "spam"],
            "route": {
                "team": "technical", "tier": 3, "priority": "high", "respond_within_s": 1800,
                "due": "2026-11-21T09:30:00+00:00",
                "guidance": "Acknowledge the problem in one sentence, ask only for what the case still lacks.",
                "next_best_action": "open_case", "rules": ["valued_customer"],
            },
            "model_version": "3",
            "taxonomy_version": "1",
            "playbook_version": "1",
            "request_id": "0b7c1f6a9d5e4f0e8b3a2c1d0e9f8a7b",
        },
        {"id": "t-2", "error": {"type": "invalid_request", "message": "'text' is empty", "details": {}}},
    ],
    "model": {
        "name": "full", "version": "3", "digest": "4c3b09ff9d4cf9e4822ed0c176d421b5aa9da3eb7a12dcf6565f0f9c9ed2857c",
        "taxonomy_version": "1", "playbook_version": "1",
    },
    "request_id": "0b7c1f6a9d5e4f0e8b3a2c1d0e9f8a7b",
}  # fmt: skip
CORRECTION: Example = {"decision_id": "d-6b015d9051ad34e07b6c8a10", "label": "abuse", "annotator": "agent-12"}
MODEL: Example = {
    "name": "full",
    "version": "3",
    "taxonomy_version": "1",
    "thresholds": {"auto": {"spam": 0.9}},
    "problem": None,
}
OVERLOADED: Example = {
    "error": {
        "type": "overloaded",
        "message": "the queue is full, nothing was computed; try again in 2 s",
        "details": {"retry_after_s": 2, "queued_messages": 2048},
    }
}
