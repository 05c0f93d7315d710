"""What `clean` guarantees for any text, and what it keeps and hides of a real one."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from configs.company import Company
from data.clean import MAX_CHARACTERS, clean, is_empty

COMPANY = Company(names=("Acme", "Acme Mobile"), handles=("acme", "AcmeHelp"),
                  competitor_names=("Globex",), competitor_handles=("globex",))  # fmt: skip

# Pieces that meet each other in ways plain random text never does.
_PIECES = st.sampled_from(
    ["@acme", "@", "@@user", "@globex", "__company__", "<number>", "&lt;url&gt;", "&amp;amp;lt;", "<b>", "</", "http://",
     "https://t.co/a", "www.", "a.com/x", "x@y.co", "+44 20 7946 0000", "12345678", "AB1234", "£20,000", "1234", "#", "#CamelCase",
     "sooooo", "!!!!", "......", "👍", "👍🏽", "👩‍👩‍👧", "🇬🇧", "\u200d", "\ufe0f", "[link]", "[number]", "[shouting]", "[",
     "]", "WHERE IS MY ORDER", "Acme", "acme mobile", "Globex", "é", "ß", "ﬁ", "①", "\x00", "\ud800", "\n", " ", "'", "’",
     "&", ";", "#39", "x", "-", "_", "ⅷ", "İ", "𝔘𝔫𝔦", "؀", "़", "\u0300", "⁄", "5"])  # fmt: skip
_TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=200),
    st.lists(_PIECES, max_size=25).map("".join),
    st.lists(st.one_of(_PIECES, st.text(max_size=5)), max_size=25).map(" ".join),
)


@settings(max_examples=300, deadline=None)
@given(_TEXTS, st.sampled_from([None, COMPANY]))
@example("@@@acme", COMPANY)
@example("&amp;amp;amp;amp;lt;b&gt;", None)
@example("a" * (MAX_CHARACTERS + 10) + "👍" * 400, None)
@example("👍" * MAX_CHARACTERS, None)
def test_any_text_is_accepted_and_cleaning_twice_changes_nothing(text: str, company: Company | None):
    once = clean(text, company)
    assert clean(once, company) == once


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
def test_a_cleaned_text_is_one_line_that_any_store_accepts(text: str):
    cleaned = clean(text)
    assert cleaned == " ".join(cleaned.split())
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert "\0" not in cleaned


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"[A-Za-z0-9_]{1,15}", fullmatch=True), st.from_regex(r"\+?\d{8,14}", fullmatch=True))
def test_who_and_which_number_never_survives(handle: str, number: str):
    cleaned = clean(f"hello @{handle} call {number} or mail {handle}@example.org see https://example.org/{handle}")
    assert cleaned == "hello @user call [number] or mail [email] see [link]" or handle.lower() in {
        "company",
        "competitor",
    }


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("&lt;3 it &amp;amp; you", "<3 it & you"),
        ("see https://t.co/abc and www.x.com now", "see [link] and [link] now"),
        ("so 👍🏽👍🏽👍🏽 good", "so [thumbs up] good"),
        ("Nooooo!!!!!!", "Noo!!!"),
        ("costs £20 for 3 days", "costs £20 for 3 days"),
        ("order 123-4567-89", "order [number]"),
        ("#CustomerService", "#Customer Service"),
        ("WHERE IS MY PARCEL", "WHERE IS MY PARCEL [shouting]"),
        ("@a .@b, __company__: no signal @c", "no signal @user"),
        ("@a's phone", "@user's phone"),
        ("", ""),
    ],
)
def test_signal_stays(text: str, cleaned: str):
    assert clean(text) == cleaned


def test_the_company_is_told_from_its_competitor_and_from_others():
    text = "hi @AcmeHelp your Acme Mobile is worse than @globex and Globex, says @bob"
    assert clean(text, COMPANY) == "hi @company your @company is worse than @competitor and @competitor, says @user"


def test_links_mentions_and_numbers_alone_are_empty():
    assert is_empty(clean("@bob https://t.co/x 01234567890 !!"))
    assert not is_empty(clean("@bob no"))


def test_the_markers_are_the_only_brackets_made():
    assert set(re.findall(r"\[[^]]*\]", clean("a@b.co 12345678 https://x.co/y HELLO THERE EVERYONE"))) == {
        "[email]", "[number]", "[link]", "[shouting]"}  # fmt: skip
