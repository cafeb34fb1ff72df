"""Seeds and hashes are part of the contract: the numbers are pinned, so that old runs stay comparable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.seeds import content_hash, derive_seed


def test_pinned_seeds() -> None:
    assert derive_seed("environment", 0, "t0") == 5_891_778_414_163_858
    assert derive_seed("policy", 0, "t0", 3, 1) == 3_195_035_326_143_640_592


def test_pinned_hash() -> None:
    value = {"b": [1, 2.5, None, "é"], "a": True}
    assert content_hash(value) == "9c4bfd7a7a37f79a4cc84517bc1a568ada4dd69609e566813b0e51f5507ef70c"


def test_a_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    assert content_hash([1, 2]) != content_hash([2, 1])


def test_what_json_can_not_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        content_hash({"a": object()})


def test_parts_are_kept_apart_and_typed() -> None:
    assert derive_seed("a", "bc") != derive_seed("ab", "c")
    assert derive_seed(1) != derive_seed("1")
    assert derive_seed("a", "b") != derive_seed("b", "a")


@given(st.lists(st.text() | st.integers(), max_size=5))
def test_seeds_fit_in_63_bits(parts: list[str | int]) -> None:
    assert 0 <= derive_seed(*parts) < 2**63
