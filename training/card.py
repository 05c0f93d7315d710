"""The model card that travels with a bundle."""

from training.bundle import BundleInfo


def write_card(info: BundleInfo, fitted: int, held_out: int) -> str:
    """Return the card in Markdown: what the model is, learnt from, decides by, and what it is not for."""
    thresholds = "\n".join(f"| {label} | {value:.2f} |" for label, value in info.thresholds.auto.items())
    return f"""# {info.name}

Sorts messages to a company into {", ".join(info.labels)}, with a doubt score for what belongs to none of them.

| | |
| --- | --- |
| created | {info.created} |
| base model | {info.base_model} ({info.base_digest[:12]}) |
| data | {fitted} fitted and {held_out} held-out messages, fingerprint {info.data_fingerprint[:12]} |
{_archive(info)}| code | {info.commit} |
| taxonomy | {info.taxonomy_version} |
| calibration | temperature {info.calibration.temperature:.3f}, on the held-out messages, adapted to the deployed mix |
| precision | {info.precision}{" (" + info.precision_check.told() + ")" if info.precision_check else ""} |
| reads | English, the first {info.max_tokens} word pieces |

Acts alone from these scores, computed from the costs of playbook {info.thresholds.playbook_version}:

| label | score |
| --- | --- |
{thresholds}

A doubt of {info.thresholds.out_of_scope:.2f} or more is out of scope. Not for decisions about persons, nor for texts
in other languages. Figures of quality stand in the registry beside the version.
"""


def _archive(info: BundleInfo) -> str:
    if not info.archive:
        return ""
    answered = f"answered by {info.teacher}" if info.teacher else "answered by itself"
    return f"| unlabelled messages | {info.archive[:12]}, {answered} |\n"
