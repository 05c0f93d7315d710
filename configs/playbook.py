"""Who answers what, how soon and how; and what each mistake costs."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from configs.loading import Config, load_config
from configs.paths import CONFIGS
from configs.taxonomy import load_taxonomy

ANY, REVIEW, OUT_OF_SCOPE = "any", "review", "out_of_scope"  # beside the labels: every message, and what is unsure

Priority = Literal["urgent", "high", "normal", "low", "none"]


class Route(Config):
    """Where a message goes: team, tier (0 is nobody), priority, seconds to respond (null: no reply is owed)."""

    team: str
    tier: int = Field(ge=0, le=3)
    priority: Priority
    respond_within_s: int | None = Field(default=None, gt=0)
    guidance: str
    next_best_action: str


class Costs(Config):
    """Costs in units of one needless review: `missed` when this segment's message goes elsewhere by itself,
    `misrouted` when another's message is sent to this segment by itself."""

    missed: float = Field(gt=0)
    misrouted: float = Field(gt=0)


class Overrides(Config):
    """What a rule or channel changes in a route; absent keys stay as they are."""

    team: str | None = None
    tier: int | None = Field(default=None, ge=0, le=3)
    priority: Priority | None = None
    respond_within_s: int | None = Field(default=None, gt=0)
    guidance: str | None = None
    next_best_action: str | None = None


Word = Annotated[str, AfterValidator(str.lower)]


class Facts(Config):
    """What must hold of a message for a rule to apply; every key given must hold, lists mean any of, in any case.

    `labels` hold of what is decided by itself; `review` and `out_of_scope` in their place name what is not.
    """

    labels: tuple[str, ...] = ()
    channels: tuple[Word, ...] = ()
    min_reach: int | None = Field(default=None, ge=0)
    customer_tiers: tuple[Word, ...] = ()
    sentiments: tuple[Word, ...] = ()
    detected: tuple[Literal["personal_data", "leaving", "threat"], ...] = ()
    keywords: tuple[Word, ...] = ()


class Rule(Config):
    """A named change of the route for messages of which the facts hold; rules apply in order, later ones win."""

    name: str
    when: Facts
    then: Overrides
    review: bool = False


class Playbook(Config):
    """The versioned whole, checked against the taxonomy: each label has a route and costs."""

    version: str
    review_cost: float = Field(default=1.0, gt=0)
    segments: dict[str, Route]
    costs: dict[str, Costs]
    review: Route
    out_of_scope: Route
    channels: dict[Word, dict[str, Overrides]] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _covers_the_taxonomy(self) -> "Playbook":
        labels = load_taxonomy().labels
        for name, keys in (("segments", self.segments), ("costs", self.costs)):
            missing, unknown = set(labels) - set(keys), set(keys) - set(labels)
            if missing or unknown:
                raise ValueError(f"{name}: missing {sorted(missing)}, unknown {sorted(unknown)}")
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> "Playbook":
        known = {*load_taxonomy().labels, REVIEW, OUT_OF_SCOPE}
        for channel, overrides in self.channels.items():
            if unknown := set(overrides) - known - {ANY}:
                raise ValueError(
                    f"channels.{channel}: unknown segment {min(unknown)!r}; use one of {sorted({*known, ANY})}"
                )
        for rule in self.rules:
            if unknown := set(rule.when.labels) - known:
                raise ValueError(f"rule {rule.name!r}: unknown label {min(unknown)!r}; use one of {sorted(known)}")
            if rule.when == Facts():
                raise ValueError(
                    f"rule {rule.name!r}: `when` is empty, so it would always apply; change the routes instead"
                )
        names = [rule.name for rule in self.rules]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"rule {min(twice)!r} stands twice; each needs a name of its own")
        return self


@cache
def load_playbook(path: Path = CONFIGS / "playbook.yaml") -> Playbook:
    """Return the playbook in a file, read once."""
    return load_config(Playbook, path)
