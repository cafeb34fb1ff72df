"""What a patch may touch, path by path."""

import pytest

from agentgym.envs.swe.diffs import make, parse
from agentgym.envs.swe.patch_filter import filter_patch, is_test

BASE = {"src/pkg/__init__.py", "src/pkg/a.py", "tests/test_a.py", "pyproject.toml", "src/types.py"}
ROOTS = ("src",)


def why(path, **options):
    result = filter_patch(parse(make(path, None, "x = 1\n")), BASE, ROOTS, **options)
    assert len(result.files) + len(result.stripped) == 1
    return result.stripped[0][1] if result.stripped else None


@pytest.mark.parametrize(
    "path",
    [
        "src/pkg/b.py",
        "src/pkg/sub/c.py",
        "README.md",
        "src/newmodule.py",
        "src/types.py",
        "docs/x.rst",
        "src/pkg/json.py",
    ],
)
def test_source_passes(path):
    assert why(path) is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("tests/test_b.py", "a test"),
        ("src/pkg/test/x.py", "a test"),
        ("test_b.py", "a test"),
        ("conftest.py", "a test"),
        ("src/pkg/conftest.py", "a test"),
        ("pytest.ini", "test configuration"),
        ("sub/tox.ini", "test configuration"),
        ("setup.cfg", "test configuration"),
        ("pyproject.toml", "test configuration"),
        ("setup.py", "build configuration"),
        ("x.pth", "a start-up hook"),
        ("src/sitecustomize.py", "a start-up hook"),
        ("usercustomize/__init__.py", "a start-up hook"),
        ("pytest/__init__.py", "shadows the module 'pytest'"),
        ("src/_pytest/x.py", "shadows the module '_pytest'"),
        ("json.py", "shadows the module 'json'"),
        ("src/json/__init__.py", "shadows the module 'json'"),
        ("../x.py", "not a plain relative path"),
        ("a/../../x.py", "not a plain relative path"),
        ("/etc/x", "not a plain relative path"),
        ("a//b", "not a plain relative path"),
        (".git/config", "version control or cache"),
        ("src/pkg/__pycache__/a.py", "version control or cache"),
        ("src/pkg/a.so", "compiled code"),
        ("src/evil.dist-info/entry_points.txt", "package metadata"),
        ("a\x07b", "an odd character in the path"),
    ],
)
def test_what_is_left_out(path, reason):
    assert why(path) == reason


def test_a_test_dependency_is_protected():
    assert why("src/hypothesis.py", protected={"hypothesis"}) == "shadows the module 'hypothesis'"


def test_what_the_oracle_touches_is_allowed_but_never_a_link():
    assert why("pyproject.toml", allowed={"pyproject.toml"}) is None
    link = "diff --git a/pyproject.toml b/pyproject.toml\nnew file mode 120000\n"
    assert filter_patch(parse(link), BASE, ROOTS, allowed={"pyproject.toml"}).stripped == [("pyproject.toml", "a link")]


def test_the_note_names_every_path():
    patch = make("conftest.py", None, "x\n") + make("src/pkg/b.py", None, "x\n")
    result = filter_patch(parse(patch), BASE, ROOTS)
    assert [file.path for file in result.files] == ["src/pkg/b.py"]
    assert result.note == "left out of the patch: conftest.py (a test)"


def test_is_test():
    assert is_test("a/tests/data.txt") and is_test("a/x_test.py") and not is_test("a/testing.py")
