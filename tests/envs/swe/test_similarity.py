"""SWE-RL's similarity against numbers worked out by hand from its definition, and what we add: a cap, a line measure."""

import difflib

import pytest

from agentgym.envs.swe.similarity import CAP, line_similarity, patch_similarity

DIFF = "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
OTHER = "@@ -1,2 +1,2 @@\n a\n-b\n+d\n"


def test_equal_patches_score_one():
    assert patch_similarity({"x.py": DIFF}, {"x.py": DIFF}) == 1.0
    assert line_similarity({"x.py": DIFF}, {"x.py": DIFF}) == 1.0


def test_one_character_differs():
    # 25 characters, 24 of them match: 2 * 24 / 50
    assert len(DIFF) == 25
    assert patch_similarity({"x.py": DIFF}, {"x.py": OTHER}) == pytest.approx(0.96)
    assert line_similarity({"x.py": DIFF}, {"x.py": OTHER}) == pytest.approx(0.75)


def test_a_file_in_one_patch_only_counts_zero():
    assert patch_similarity({"x.py": DIFF}, {"y.py": DIFF}) == 0.0
    assert patch_similarity({"x.py": DIFF, "y.py": DIFF}, {"x.py": DIFF}) == pytest.approx(0.5)
    assert patch_similarity({"x.py": DIFF, "y.py": ""}, {"x.py": DIFF}) == pytest.approx(0.5)
    assert patch_similarity({}, {"x.py": DIFF}) == 0.0
    assert patch_similarity({}, {}) == 0.0


def test_junk_is_not_taken_for_popular():
    one, two = "xy" * 200, "yx" * 200
    assert difflib.SequenceMatcher(None, one, two).ratio() == 0.0  # with autojunk every letter counts as junk
    assert patch_similarity({"f": one}, {"f": two}) == pytest.approx(798 / 800)


@pytest.mark.slow
def test_too_long_is_declined():
    long = "+x\n" * CAP
    assert patch_similarity({"f": long}, {"f": DIFF}) is None
    assert patch_similarity({"f": long}, {"g": DIFF}) == 0.0
    assert line_similarity({"f": long}, {"f": long}) == 1.0
