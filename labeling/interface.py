"""The labelers' page and instructions, generated from the taxonomy; knows nothing of servers."""

import re
from html import escape
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from configs.labeling import Screen
from configs.taxonomy import NONE, Taxonomy

LABEL, SECOND, NOTE, TEXT = "label", "second", "note", "text"  # the names of the page's parts, as results carry them
UNSURE = "unsure"

_MARK = "switchboard taxonomy-"  # how a project of ours, and the taxonomy it was made for, are known again

_STYLE = """
.sb-about * { font-size: 14px !important; font-weight: 400 !important; color: #66707a; margin: 0 !important; }
.sb-text * { font-size: 20px !important; line-height: 1.5 !important; }
.sb-text { max-width: 46em; margin: 6px 0; }
.sb-said * { font-size: 16px !important; margin: 4px 0 8px !important; }
.sb-label label { font-size: 17px !important; }
.sb-more { margin-top: 20px; max-width: 46em; }
.sb-more h1, .sb-more h2, .sb-more h3, .sb-more h4, .sb-more h5, .sb-more h6 { font-size: 14px !important; font-weight: 400 !important; }
"""


def build_interface(taxonomy: Taxonomy, screen: Screen) -> str:
    """Return the labelling configuration (XML): the message, what the model said, and one key for each answer."""
    choices = [
        _choice(taxonomy[label].title, label, str(place), f"{taxonomy[label].team}: {taxonomy[label].definition}")
        for place, label in enumerate(order_labels(taxonomy, screen), start=1)
    ]
    choices.append(_choice("Belongs nowhere", NONE, "9", "No content of its own, neutral chatter, not English"))
    choices.append(_choice("Not sure", UNSURE, "0", "Leave it to somebody else; say why in the note"))
    seconds = "".join(_choice(taxonomy[label].title, label) for label in order_labels(taxonomy, screen))
    return (
        f'<View className="{_MARK}{escape(taxonomy.version)}">\n<Style>{_STYLE}</Style>\n'
        '<View className="sb-about"><Header value="$about" size="6"/></View>\n'
        '<View className="sb-about"><Header value="$answers" size="6"/></View>\n'
        f'<View className="sb-text"><Text name="{TEXT}" value="$text" selectionEnabled="false"/></View>\n'
        '<View className="sb-said"><Header value="$said" size="5"/></View>\n'
        f'<View className="sb-label"><Choices name="{LABEL}" toName="{TEXT}" choice="single-radio" showInline="false" '
        'required="true" requiredMessage="Press 1 to 8, 9 for nowhere, or 0 when not sure">\n'
        f"{''.join(choices)}</Choices></View>\n"
        '<View className="sb-more"><Header value="Second label that would also be right, and a note (both optional)" '
        f'size="6"/><Choices name="{SECOND}" toName="{TEXT}" choice="single" layout="select">\n{seconds}</Choices>\n'
        f'<TextArea name="{NOTE}" toName="{TEXT}" rows="1" maxSubmissions="1" editable="true" '
        'placeholder="A note for whoever reads this label; Enter keeps it"/></View>\n</View>'
    )


def build_instructions(taxonomy: Taxonomy, screen: Screen) -> str:
    """Return the codebook as short HTML, shown before labelling and behind the page's instructions button."""
    order = " &gt; ".join(escape(taxonomy[label].title) for label in taxonomy.precedence)
    rows = "".join(_explain(taxonomy, label, key) for key, label in enumerate(order_labels(taxonomy, screen), start=1))
    return (
        "<p><b>One message, one label: the team that must act on it first.</b> Read it as the company it is "
        "addressed to would. Suggestion right: <b>Enter</b> (or Ctrl+Enter). Wrong: the number, then <b>Enter</b>. "
        "Some messages come without a suggestion; that is meant.</p><br>"
        f"<p>When several fit, take the first of: {order}.</p>{rows}<br>"
        "<p><b>9 Belongs nowhere</b>: a fragment without content of its own, neutral chatter that only names the "
        "brand, not intelligible, or not English.</p><p><b>0 Not sure</b>: somebody else will look at it.</p>"
    )


def taxonomy_version_of(interface: str) -> str | None:
    """Return the taxonomy version an interface was generated for; None where it is not one of ours."""
    found = re.match(rf'\s*<View className="{_MARK}([^"]+)"', interface)
    return found[1] if found else None


def answers_of(interface: str) -> set[str]:
    """Return the values the label question of an interface can give."""
    try:
        root = ElementTree.fromstring(interface)
    except ElementTree.ParseError:
        return set()
    asked = [element for element in root.iter("Choices") if element.get("name") == LABEL]
    return {choice.get("alias") or choice.get("value", "") for element in asked for choice in element.iter("Choice")}


def order_labels(taxonomy: Taxonomy, screen: Screen) -> tuple[str, ...]:
    """Return the labels in the order of their keys 1, 2, ...; labels the configuration does not place come last."""
    placed = [label for label in screen.order if label in taxonomy.labels]
    return (*placed, *(label for label in taxonomy.labels if label not in placed))


def _choice(title: str, label: str, key: str = "", hint: str = "") -> str:
    key_part = f" hotkey={quoteattr(key)}" if key else ""
    hint_part = f" hint={quoteattr(hint)}" if hint else ""
    return f"<Choice value={quoteattr(title)} alias={quoteattr(label)}{key_part}{hint_part}/>\n"


def _explain(taxonomy: Taxonomy, label: str, key: int) -> str:
    segment = taxonomy[label]
    rules = "".join(
        f"<p>• {escape(rule, quote=False)}</p>" for rule in segment.boundaries
    )  # the page shows lists without bullets
    return f"<br><p><b>{key} {escape(segment.title)}</b> ({escape(segment.team)}): {escape(segment.definition, quote=False)}</p>{rules}"
