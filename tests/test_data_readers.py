"""Files as people bring them: whole, half-written, in any encoding; each fault is one row's, named and numbered."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from configs.errors import SwitchboardError
from configs.taxonomy import load_taxonomy
from data.parsing import read_labelled
from data.readers import Row, read_rows

GOOD = {"text": "où est mon colis 📦"}
LINE = json.dumps(GOOD, ensure_ascii=False)


def _rows(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> list[Row]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return list(read_rows(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl", f"{LINE}\n{LINE}\n"), ("a.csv", 'text\n"où est mon colis 📦"\n' * 1)]
)
def test_unicode_files_are_read_with_and_without_mark(tmp_path: Path, encoding: str, name: str, content: str):
    rows = _rows(tmp_path, name, content, encoding)
    assert [row.fields for row in rows] == [GOOD] * len(rows)
    assert rows


def test_a_windows_file_is_recognised(tmp_path: Path):
    rows = _rows(tmp_path, "a.csv", "text;label\ncafé – nice;praise\n", "cp1252")
    assert rows == [Row(2, {"text": "café – nice", "label": "praise"})]


def test_a_stray_line_in_another_encoding_is_that_lines_error(tmp_path: Path):
    rows = _rows(
        tmp_path, "a.jsonl", f"{LINE}\n".encode() + '{"text": "café"}\n'.encode("latin-1") + f"{LINE}\n".encode()
    )
    assert [(row.number, bool(row.error)) for row in rows] == [(1, False), (2, True), (3, False)]
    assert "not utf-8; save the file as UTF-8" in rows[1].error


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str):
    rows = _rows(tmp_path, "a.csv", f"id{delimiter}text\n1{delimiter}hello\n")
    assert rows == [Row(2, {"id": "1", "text": "hello"})]


def test_a_half_written_line_says_that_the_file_was_cut(tmp_path: Path):
    rows = _rows(tmp_path, "a.jsonl", f'{LINE}\n{{"text": "half of')
    assert rows[0].fields == GOOD
    assert "line 1 column" in rows[1].error
    assert "cut off" in rows[1].error


def test_a_letter_cut_in_two_at_the_end_is_an_error_of_the_last_row_only(tmp_path: Path):
    rows = _rows(tmp_path, "a.jsonl", f"{LINE}\n{LINE}".encode()[:-4])
    assert [bool(row.error) for row in rows] == [False, True]


def test_a_quote_never_closed_is_an_error_and_not_a_huge_row(tmp_path: Path):
    rows = _rows(tmp_path, "a.csv", 'text,label\nfine,praise\n"open,praise\nlost,praise\n')
    assert [row.number for row in rows] == [2, 3]
    assert "never closed" in rows[1].error


def test_a_broken_line_does_not_hide_its_neighbours(tmp_path: Path):
    content = f'{LINE}\n{{broken\n[1]\n"text"\n{{"text": "a", "text": "b"}}\n\n{LINE}\n'
    rows = _rows(tmp_path, "a.jsonl", content)
    assert [(row.number, bool(row.error)) for row in rows] == [
        (1, False), (2, True), (3, True), (4, True), (5, True), (7, False)]  # fmt: skip
    assert "'text' stands twice" in rows[4].error


@pytest.mark.parametrize(("name", "long"), [("a.jsonl", '{"text": "%s"}\n'), ("a.csv", "%s\n")])
def test_a_line_of_ten_megabytes_is_refused_and_the_next_is_read(tmp_path: Path, name: str, long: str):
    start, good = ("text\n", "fine\n") if name == "a.csv" else ("", '{"text": "fine"}\n')
    rows = _rows(tmp_path, name, start + good + long % ("x" * 10_000_000) + good)
    assert [row.fields.get("text") for row in rows] == ["fine", None, "fine"]
    assert "longer than 1048576 characters" in rows[1].error


def test_nuls_do_not_stop_reading(tmp_path: Path):
    rows = _rows(tmp_path, "a.jsonl", f"{LINE}\n" + "\0" * 5000 + f"\n{LINE}\n")
    assert [bool(row.error) for row in rows] == [False, True, False]
    assert _rows(tmp_path, "a.csv", "text\na\0b\n") == [Row(2, {"text": "a\ufffdb"})]


def test_rows_of_the_wrong_width_are_named(tmp_path: Path):
    rows = _rows(tmp_path, "a.csv", "text,label\na,praise\nb\nc,d,e\n")
    assert [row.error for row in rows] == ["", "1 values for 2 columns", "3 values for 2 columns"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "text,label,text\n", "column 'text' stands twice in the header"),
        ("a.csv", "body,label\n", "no 'text' column; found body, label"),
        ("a.jsonl", "", "the file is empty"),
        ("a.docx", "x", "unknown file type '.docx'"),
        ("a.parquet", "PAR1 and then nothing", "damaged or not a Parquet file"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path: Path, name: str, content: str, said: str):
    with pytest.raises(SwitchboardError, match=said) as caught:
        _rows(tmp_path, name, content)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("encoding", ["UTF-16LE", "utf_16_le", "utf-32-le"])
def test_no_byte_makes_reading_in_a_named_encoding_fail(tmp_path: Path, encoding: str):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{\x00\x00\xd8\x41\x00")
    assert [bool(row.error) for row in read_rows(path, encoding=encoding)] == [True]


def test_an_encoding_that_is_none_of_text_is_refused(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text("{}")
    with pytest.raises(SwitchboardError, match="unknown encoding 'rot13'"):
        list(read_rows(path, encoding="rot13"))


def test_a_half_written_parquet_file_is_refused(tmp_path: Path):
    pq.write_table(pa.table({"text": ["hello"] * 5000}), tmp_path / "whole.parquet")
    half = (tmp_path / "whole.parquet").read_bytes()[:-100]
    with pytest.raises(SwitchboardError, match="damaged or not a Parquet file"):
        _rows(tmp_path, "half.parquet", half)


@pytest.mark.parametrize(
    ("label", "said"), [("Praise", "did you mean 'praise'?"), ("Lob", "labels are spam, request"), (None, "no 'label'")]
)
def test_a_wrong_label_names_file_line_value_and_remedy(tmp_path: Path, label: str | None, said: str):
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps({'text': 'a', 'label': 'praise'})}\n{json.dumps({'text': 'b', 'label': label})}\n")
    with pytest.raises(SwitchboardError, match=r"a\.jsonl, line 2: .*label") as caught:
        read_labelled(str(path), read_rows(path), load_taxonomy())
    assert said in str(caught.value)
