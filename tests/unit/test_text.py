"""Any text that Python can hold is stored and comes back."""

import json

from hypothesis import given
from hypothesis import strategies as st

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


@given(ANY, st.integers(100, 600))
def test_a_cut_text_fits_and_keeps_its_ends(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert size(short) <= limit
    if short != text:
        head, marker, end = short.partition("\n[... ")
        left_out, _, foot = end.partition(" characters left out ...]\n")
        assert marker
        assert text.startswith(head)
        assert text.endswith(foot)
        assert len(head) + int(left_out) + len(foot) == len(text)


@given(ANY, st.integers(100, 300))
def test_a_tail_fits_and_keeps_the_end(text: str, characters: int) -> None:
    short = tail(text, characters)
    assert len(short) <= characters
    assert short == text or text.endswith(short.rpartition("left out ...]\n")[2])


@given(ANY)
def test_json_carries_it(text: str) -> None:
    assert json.loads(json.dumps(text)) == "".join(
        text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    )
