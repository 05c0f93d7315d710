"""What the playbook's rules may ask of a message: the caller's facts about it, and ours, found in its text."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from data.clean import MAX_CHARACTERS
from data.personal import personal_data

_LEAVING = re.compile(
    r"\b(?:cancel(?:l?ing|l?ed)? (?:my|our|the|this) (?:\w+ )?(?:contract|account|subscription|membership|plan|service|sim|policy|card)"
    r"|(?:leav|switch|mov|port)ing (?:away )?(?:from (?:you|@\w+)|to (?:@\w+|(?:a |another |your )?competitor)|providers?|elsewhere)"
    r"|(?:i'?m|we'?re|i am|we are) (?:leaving|done with) (?:you|@\w+)|clos(?:e|ing) my account|pac code"
    r"|tak(?:e|ing) my (?:business|money|custom) elsewhere|never (?:using|flying|shopping|ordering|booking) (?:with )?(?:you|here) again)\b",
    re.I,
)
_BURNING = (  # a team can be on fire too
    "it|everything|house|home|flat|kitchen|building|car|engine|phone|charger|battery|cable|plug|socket|router|boiler|oven"
    "|laptop|telly|tv|meter|(?:washing |dish)?(?:machine|washer)|dryer|bus|train|plane"
)
_THREAT = re.compile(
    r"\b(?:(?:kill|shoot|stab|murder|bomb|burn down) (?:you|u|them|him|her|myself|everyone|your|the (?:shop|store|office|staff|driver|plane))"
    r"|(?:kill|hurt|harm)(?:ing)? (?:myself|himself|herself|themselves)|end (?:my|it all|my own) life|suicid(?:e|al)|want to die"
    r"|(?:bomb|gun|knife|weapon) (?:on|in|at) (?:the|your|this) (?:plane|flight|store|shop|train|office|bus)"
    rf"|i (?:know|will find) where you (?:live|work)|(?:caught|catch(?:es|ing)?) fire|(?:{_BURNING})(?:'s| is| was| were| went| set)? on fire|gas leak|electrocut\w*|in danger"
    r"|(?:it|he|she|they|driver) (?:attacked|assaulted|threatened) (?:me|my|us))\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class CallerFacts:
    """What the caller knows about a message and its author; absent facts satisfy no rule."""

    reach: int | None = None
    customer_tier: str = ""
    sentiment: str = ""


NO_FACTS = CallerFacts()


def straight(text: str) -> str:
    """Return a text with each curly apostrophe typed straight, so that one pattern finds both."""
    return text.replace("’", "'").replace("‘", "'")


def holds_any(names: Iterable[str], text: str) -> bool:
    """Return whether any of the named facts is found in a text as it was written."""
    text = straight(text[:MAX_CHARACTERS])
    return any(_DETECTORS[name](text) for name in names)


_DETECTORS: dict[str, Callable[[str], bool]] = {
    "personal_data": lambda text: bool(personal_data(text)),
    "leaving": lambda text: bool(_LEAVING.search(text)),
    "threat": lambda text: bool(_THREAT.search(text)),
}
