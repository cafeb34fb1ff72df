"""Diffs made here: what git takes, what comes back, and what is refused."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.swe.diffs import PatchError, apply, make, parse

TEXT = st.text(alphabet="ab\n\r\f\u2028 -+@\\", max_size=60)


@given(TEXT, TEXT)
def test_a_diff_leads_back(before, after):
    text = make("a b.py", before, after)
    if before == after:
        assert text == ""
        return
    (patch,) = parse(text)
    assert patch.path == "a b.py"
    assert apply(patch, before) == after


@given(TEXT)
def test_creation_and_deletion(text):
    (created,) = parse(make("x.py", None, text))
    (deleted,) = parse(make("x.py", text, None))
    assert created.created and apply(created, None) == text
    assert deleted.deleted and apply(deleted, text) is None


def test_git_reads_what_is_made(tmp_path):
    (tmp_path / "x y.py").write_text("a\nb\nc")
    (tmp_path / "gone.py").write_text("z\n")
    patch = make("x y.py", "a\nb\nc", "a\nB\nc\nd") + make("new.py", None, "1\n2\n") + make("gone.py", "z\n", None)
    subprocess.run(["git", "apply", "-"], input=patch.encode(), cwd=tmp_path, check=True)
    assert (tmp_path / "x y.py").read_text() == "a\nB\nc\nd"
    assert (tmp_path / "new.py").read_text() == "1\n2\n"
    assert not (tmp_path / "gone.py").exists()


def test_a_hunk_may_have_moved():
    (patch,) = parse(make("x", "a\nb\nc\n", "a\nB\nc\n"))
    assert apply(patch, "0\n0\na\nb\nc\n") == "0\n0\na\nB\nc\n"


@pytest.mark.parametrize(
    ("patch", "before", "why"),
    [
        (make("x", "a\n", "b\n"), "c\n", "does not match"),
        (make("x", "a\n", "b\n"), None, "no such file"),
        (make("x", None, "b\n"), "b\n", "already"),
        (make("x", "a\n", None), "a\nb\n", "other content"),
    ],
)
def test_what_does_not_fit(patch, before, why):
    with pytest.raises(PatchError, match=why):
        apply(parse(patch)[0], before)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "diff --git a/x b/y\nrename from x\nrename to y\n",
        'diff --git "a/\\303" "b/\\303"\n',
        "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n",
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n*a\n",
        "--- /dev/null\n+++ /dev/null\n",
        "diff --git a/x b/x\n--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n",
    ],
)
def test_what_is_no_patch(text):
    with pytest.raises(PatchError):
        parse(text)


def test_binary_and_links_are_named():
    binary, link = parse(
        "diff --git a/x b/x\nnew file mode 100644\nBinary files /dev/null and b/x differ\n"
        "diff --git a/y b/y\nnew file mode 120000\n--- /dev/null\n+++ b/y\n@@ -0,0 +1 @@\n+/etc/passwd\n"
    )
    assert (binary.kind, link.kind) == ("binary", "link")
