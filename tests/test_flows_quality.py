"""What the ledger says of labelers reaches the report's page."""

from data.ledger import LabelEvent, open_ledger
from evaluation.report.rendering import render_page
from flows.quality import measure_quality

GIVEN = {"ann": ("spam", "lead", "lead", "praise"), "<ben>": ("spam", "lead", "abuse", "praise")}


def test_the_page_shows_each_pair_of_labelers_and_how_each_stands_to_the_consensus(sqlite_url):
    with open_ledger(sqlite_url) as ledger:
        ledger.events.append(
            LabelEvent(
                key=f"{who}-{place}", message_id=f"m-{place}", annotator=who, origin="labeler", label=label, seconds=4.0
            )
            for who, labels in GIVEN.items()
            for place, label in enumerate(labels)
        )  # fmt: skip
        page = render_page("quality.html", {"quality": measure_quality(ledger)})
    assert "<td>&lt;ben&gt; / ann</td>" in page or "<td>ann / &lt;ben&gt;</td>" in page
    assert "Cohen's kappa" in page and "75%" in page
    assert page.count('<td class="n">4.0</td>') == len(GIVEN)
