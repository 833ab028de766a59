"""Any text that Python can hold is stored and comes back."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lockstep.http.reply import carried_as_json
from lockstep.text import cut, digest, escape, size, tail, unescape

ANY = st.text(
    st.characters(codec=None) | st.characters(categories=["Cs"]) | st.sampled_from("\x10\x00😀é"), max_size=400
)


@given(ANY)
def test_what_is_escaped_fits_utf8_and_comes_back(text: str) -> None:
    assert unescape(escape(text).encode().decode()) == text


@given(ANY, ANY)
def test_different_texts_stay_different(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)
    assert one == other or digest(one) != digest(other)


MEASURES = pytest.mark.parametrize("measure", [size, carried_as_json])


@MEASURES
@given(ANY, st.integers(4, 600))
@example("a" * 200, 44)
@example('"' * 400, 48)
@example("\x00" * 400, 100)
def test_a_cut_text_fits_and_keeps_its_ends(measure: Callable[[str], int], text: str, limit: int) -> None:
    short = cut(text, limit, measure)
    assert measure(short) <= limit
    if "left out" not in short:
        assert text.startswith(short)
        assert short == text or limit < 100, "a limit without room for the marker"
    elif short != text:
        head, marker, end = short.partition("\n[... ")
        left_out, _, foot = end.partition(" characters left out ...]\n")
        assert marker
        assert text.startswith(head)
        assert text.endswith(foot)
        assert len(head) + int(left_out) + len(foot) == len(text)


@MEASURES
def test_a_text_that_is_cut_twice_says_all_that_it_lacks(measure: Callable[[str], int]) -> None:
    twice = cut(cut("a" * 10_000, 1_000), 200, measure)
    head, _, end = twice.partition("\n[... ")
    left_out, _, foot = end.partition(" characters left out ...]\n")
    assert len(head) + int(left_out) + len(foot) == 10_000


@given(ANY, st.integers(0, 300))
def test_a_tail_fits_and_keeps_the_end(text: str, characters: int) -> None:
    short = tail(text, characters)
    assert len(short) <= characters
    assert short == text or text.endswith(short.rpartition("left out ...]\n")[2])
