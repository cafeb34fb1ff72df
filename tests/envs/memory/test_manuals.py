"""memory/manuals: pages of the man macros, the package behind them, questions that stand there word for word."""

import gzip
import hashlib
import subprocess

import pytest

from agentgym.envs.memory.manuals import package
from agentgym.envs.memory.manuals.pages import parse
from agentgym.envs.memory.manuals.reader import read
from agentgym.envs.memory.manuals.specs import MANUALS
from agentgym.envs.memory.manuals.tasks import split_of
from agentgym.errors import TaskError, UsageError
from agentgym.runtime import default_cache

PAGE = r"""
.TH TEA 7 2024-05-02 "Kitchen" "Manual"
.SH NAME
tea \- a hot drink
.SH OPTIONS
.TP
.BR \-\-strong ", " \-s
Leave the leaves in for five minutes. More is bitter.
.\" a comment
.TP
.B MILK_FIRST
Pour the milk before the \fItea\fP;
opinions \[dq]differ\[dq].
.nf
not filled | at all
.fi
.PP
See also coffee(7).
"""


def test_a_page_becomes_lines_and_entries():
    page = parse("tea(7)", PAGE)
    assert page.lines == [
        "tea(7): tea - a hot drink",
        "tea(7): --strong, -s: Leave the leaves in for five minutes. More is bitter.",
        'tea(7): MILK_FIRST: Pour the milk before the tea; opinions "differ".',
        "tea(7): See also coffee(7).",
    ]
    assert [(e.name, e.gist, e.line, e.section) for e in page.entries] == [
        ("--strong", "Leave the leaves in for five minutes.", 1, "OPTIONS"),
        ("MILK_FIRST", "Pour the milk before the tea;", 2, "OPTIONS"),
    ]


def test_notes_and_lines_are_read_and_nothing_else():
    assert read("tea(7) | MILK_FIRST | Pour the milk")[0] == ("tea(7)", "MILK_FIRST", "Pour the milk")
    assert read(parse("tea(7)", PAGE).lines[1])[0][:2] == ("tea(7)", "--strong")
    for text in ("", "tea", "tea(7)", "a | b | c", "x" * 100_000, "tea(7) | | "):
        assert read(text) == ()


@pytest.fixture(scope="module")
def tasks_of():
    """Real tasks; the package is fetched once into the cache of this machine."""
    from agentgym.envs.memory.manuals.tasks import ManualsTasks

    return lambda **options: ManualsTasks(MANUALS.configure(**options).config, default_cache())


@pytest.mark.parametrize(
    "options", [{}, {"system": "memory-r1", "tokens": 3_000}, {"answerer": "actor", "tokens": 3_000}]
)
async def test_the_oracle_knows_all_and_cheats_nothing(tasks_of, play, options):
    for split in ("train", "test"):
        tasks = await tasks_of(**options).take(split, 2)
        for name, make in MANUALS.policies.items():
            played = await play(MANUALS.configure(**options), make(), tasks)
            assert {trajectory.success for trajectory in played} == {float(name == "oracle")}, name


async def test_no_page_is_in_two_splits_and_answers_stand_in_the_text(tasks_of):
    for split in ("train", "validation", "test"):
        [task] = await tasks_of(questions=40, tokens=12_000).take(split, 1)
        assert {split_of(page) for page in task.tags} == {split}
        text = "\n".join(task.payload["lines"])
        for raw in task.secret["questions"]:
            sought = raw["query"]["name"] if raw["kind"] == "abstention" else raw["answers"][0]
            assert (sought in text) == (raw["kind"] != "abstention"), raw


async def test_more_text_than_there_is_is_refused_with_how_much_there_is(tasks_of):
    with pytest.raises(TaskError, match=r"have \d+ tokens"):
        await tasks_of().get("validation-9000000-0")


def test_other_text_than_expected_is_refused(tmp_path):
    with pytest.raises(UsageError, match="apt-get install manpages"):
        package.pages(tmp_path, tmp_path / "nowhere")
    folder = tmp_path / "man7"
    folder.mkdir()
    (folder / "capabilities.7.gz").write_bytes(gzip.compress(b"changed"))
    with pytest.raises(UsageError, match="unchanged"):
        package.pages(tmp_path, tmp_path)


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """apt of this machine with one source: a folder that holds a package made here of the pages at hand."""
    package.pages(default_cache())  # so that they are in one of the two places
    source = next(folder for folder in (package._SYSTEM, default_cache() / "manuals") if package._read(folder))
    root, repo = tmp_path / "root", tmp_path / "mirror"
    for path in package.listed():
        target = root / "usr/share/man" / f"{path}.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((source / f"{path}.gz").read_bytes())
    control = "Package: manpages\nVersion: 6.03-2\nArchitecture: all\nMaintainer: Nobody <nobody@localhost>\nDescription: a test\n"
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(control)
    repo.mkdir()
    deb = repo / "manpages.deb"
    subprocess.run(["dpkg-deb", "-Znone", "-b", str(root), str(deb)], check=True, capture_output=True)
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    (repo / "Packages").write_text(f"{control}Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n")
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{repo} ./\n")
    options = {
        "Dir::Etc::sourcelist": tmp_path / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": tmp_path / "state",
        "Dir::Cache": tmp_path / "cache",
        "APT::Sandbox::User": "",
    }
    (tmp_path / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in options.items()))
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    subprocess.run(["apt-get", "update"], check=True, capture_output=True)
    return repo


def test_where_no_manuals_are_installed_apt_fetches_them(mirror, tmp_path, monkeypatch):
    """From a mirror in a folder: the real apt and dpkg, no network."""
    monkeypatch.setattr(package, "_SYSTEM", tmp_path / "no manuals here")
    assert len(package.pages(tmp_path / "fresh")) == len(package.listed())
    assert [path.name for path in (tmp_path / "fresh").iterdir()] == ["manuals"]
    (mirror / "manpages.deb").unlink()
    with pytest.raises(UsageError, match=r"apt-get download manpages: .*documents=FOLDER"):
        package.pages(tmp_path / "another")
