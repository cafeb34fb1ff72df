"""Memories: every write is done whole or refused with a reason; nothing is lost by what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgym.envs.memory.retrieval import Bm25, Fts5, make_index
from agentgym.envs.memory.store import Memory, tokens
from agentgym.errors import TaskError, ToolError, UsageError


def memory(**options):
    return Memory(**{"budget": 100, "item_limit": 50, "core_limit": 10, **options})


def test_ids_are_counted():
    kept = memory()
    assert [kept.insert("semantic", text) for text in ("a", "b")] == ["0001", "0002"]
    kept.delete("semantic", "0001")
    assert kept.insert("episodic", "c") == "0003"


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda kept: kept.insert("semantic", "x" * 201), "at most 50 tokens"),
        (lambda kept: [kept.insert("episodic", f"{n} " + "x" * 190) for n in range(3)], "memory is full"),
        (lambda kept: kept.insert("semantic", " \n "), "empty"),
        (lambda kept: kept.insert("semantic", "Ada likes tea"), "this very text"),
        (lambda kept: kept.update("semantic", "0001", "Ada likes tea"), "says so already"),
        (lambda kept: kept.update("semantic", "ffff", "x"), "no item 'ffff'"),
        (lambda kept: kept.update("episodic", "0001", "x"), "it is empty"),
        (lambda kept: kept.delete("semantic", "'; DROP TABLE items; --"), "no item"),
        (lambda kept: kept.update("semantic", "0001", "y" * 300), "at most 50 tokens"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_reason(write, why):
    kept = memory()
    kept.insert("semantic", "Ada likes tea")
    with pytest.raises(ToolError, match=why):
        write(kept)
    assert kept.semantic["0001"] == "Ada likes tea"
    assert kept.size == sum(map(tokens, kept.texts)) <= kept.budget
    assert kept.search("tea") == ["0001"]


def test_the_core_is_cut_and_says_so():
    kept = memory()
    assert kept.set_core("x" * 41) and kept.core == "x" * 40
    assert not kept.set_core("short")
    assert kept.size == 2


@pytest.mark.parametrize("text", ["Łódź ✓ 日本", "\ud800 alone", "a\x00b", "'; DROP TABLE items; --", '" OR NEAR(* ^'])
@pytest.mark.parametrize("index", ["fts5", "bm25"])
def test_any_text_can_be_kept_searched_and_dumped(text, index):
    kept = memory(index=index)
    id = kept.insert("semantic", f"{text} tea")
    kept.search(text)
    assert kept.search("tea") == [id]
    again = Memory.load(kept.dump())
    assert again == kept and again.search("tea") == [id]


def test_a_dump_that_is_none_is_refused():
    for text in ("", "[]", "{}", '{"budget": 1, "colour": "red"}'):
        with pytest.raises(TaskError, match="not a dumped memory"):
            Memory.load(text)


def test_copies_go_apart():
    kept = memory()
    kept.insert("semantic", "tea")
    kept.search("tea")
    copy = kept.copy()
    copy.insert("semantic", "tea and cake")
    assert len(kept.search("tea")) == 1 and len(copy.search("tea")) == 2


def test_an_unknown_retrieval_is_refused():
    with pytest.raises(UsageError, match="fts5"):
        make_index("faiss", {})


def test_bm25_is_okapis():
    """Worked out by hand for three texts of 2, 2 and 4 words, with k1 1.5 and b 0.75."""
    index = make_index("bm25", {"a": "tea cake", "b": "milk cake", "c": "milk milk bread salt"})
    assert index.search("tea", 5) == ["a"]
    assert index.search("milk", 5) == ["c", "b"]  # 2·2.5 / (2 + 1.5·1.375) = 1.23, 1·2.5 / (1 + 1.5·.8125) = 1.13
    assert index.search("bread tea", 5) == ["a", "c"]  # the shorter text first


ITEMS = st.dictionaries(st.sampled_from("abcdefgh"), st.text("xyz ", min_size=1, max_size=12), max_size=8)


@settings(max_examples=60, deadline=None)
@given(ITEMS, ITEMS, st.text("xyz ", max_size=8))
@pytest.mark.parametrize("kind", [Fts5, Bm25])
def test_an_index_that_was_kept_up_finds_what_a_new_one_finds(kind, before, after, query):
    index = kind()
    for id, text in before.items():
        index.put(id, text)
    for id in before.keys() - after.keys():
        index.drop(id)
    for id, text in after.items():
        index.put(id, text)
    fresh = kind()
    for id, text in after.items():
        fresh.put(id, text)
    assert index.search(query, 5) == fresh.search(query, 5)
