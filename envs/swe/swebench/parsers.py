"""From the log of a test run to the status of each test, by the rules of swebench 5.0.2 for Python projects.

A log is the candidate's to write: no parser here takes more than linear time over it (Django's looks at a bounded number
of places).  A status is the word that stood in the log, which need not be one of STATUSES.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from agentgym.errors import TaskError

STATUSES = ("FAILED", "PASSED", "SKIPPED", "ERROR", "XFAIL")
Statuses = dict[str, str]
Parser = Callable[[str], Statuses]

_CONTROL = dict.fromkeys(range(1, 32))
_SKIP_COUNT = re.compile(r"^\[\d+\]$")
_COLOUR = re.compile(r"\[(\d+)m")
_MOST_HEADS = 100


class LogError(ValueError):
    """A log that can not be read."""


def pytest(log: str) -> Statuses:
    """The short summary of `pytest -rA`: the word after the status is the test."""
    found: Statuses = {}
    for line in log.split("\n"):
        if (words := _summary(line)) is not None:
            found[words[1]] = words[0]
    return found


def pytest_options(log: str) -> Statuses:
    """The same; of a path as a parameter only the last part counts."""
    found: Statuses = {}
    for line in log.split("\n"):
        if (words := _summary(line)) is not None:
            found[_short_option(words[1])] = words[0]
    return found


def pytest_v2(log: str) -> Statuses:
    """Test ids with spaces, without colours; lines that end with the status, too, as older versions of pytest write."""
    found: Statuses = {}
    for line in log.split("\n"):
        line = _COLOUR.sub("", line).translate(_CONTROL)
        if line.startswith(STATUSES):
            words = (line.split(" - ", 1)[0] if line.startswith("FAILED") else line).split()
            if len(words) >= 2 and not _is_count(words):
                found[" ".join(words[1:])] = words[0]
        elif line.endswith(STATUSES) and len(words := line.split()) >= 2:
            found[" ".join(words[:-1])] = words[-1]
    return found


def matplotlib(log: str) -> Statuses:
    """As `pytest`, with mouse buttons by their numbers."""
    return pytest(log.replace("MouseButton.LEFT", "1").replace("MouseButton.RIGHT", "3"))


def seaborn(log: str) -> Statuses:
    """Failures by their summary line, passes by that or by "test PASSED [ n%]"."""
    found: Statuses = {}
    for line in log.split("\n"):
        words = line.split()
        if len(words) < 2:
            continue
        if line.startswith("FAILED"):
            found[words[1]] = "FAILED"
        elif " PASSED " in line:
            if words[1] == "PASSED":
                found[words[0]] = "PASSED"
        elif line.startswith("PASSED"):
            found[words[1]] = "PASSED"
    return found


def sympy(log: str) -> Statuses:
    """Sympy's own runner: failures as headings between underscores, tests as "test_name ok", " F" or " E"."""
    found: Statuses = {}
    for line in log.split("\n"):
        first, last = line.find(" "), line.rfind(" ")
        if (at := line.rfind(".py:", first + 1, last)) >= 0 <= first:
            found[f"{line[first + 1 : at]}.py:{line[at + 4 : last]}"] = "FAILED"
    for line in log.split("\n"):
        line = line.strip()
        if line.startswith("test_"):
            for ending, status in ((" E", "ERROR"), (" F", "FAILED"), (" ok", "PASSED")):
                if line.endswith(ending):
                    found[line.split()[0]] = status
    return found


def django(log: str) -> Statuses:
    """Django's runner: "test_name (place) ... ok", with output of the test between the two now and then."""
    found: Statuses = {}
    previous = None
    for line in log.split("\n"):
        line = line.strip()
        if "--version is equivalent to version" in line:
            found["--version is equivalent to version"] = "PASSED"
        if " ... " in line:
            previous = line.split(" ... ")[0]
        line = _django_line(line, found)
        if line.startswith("ok") and previous is not None:
            found[previous] = "PASSED"
    for head, pattern in _INTERRUPTED:
        if log.count(head) > _MOST_HEADS:
            raise LogError(f"{head!r} stands more than {_MOST_HEADS} times in the log")
        for match in pattern.finditer(log):
            found[match[1]] = "PASSED"
    return found


_INTERRUPTED = tuple(
    (head, re.compile(rf"^(.*?)\s\.\.\.\s{re.escape(head)}{tail}\nok$", re.MULTILINE))
    for head, tail in (
        ("Testing against Django installed in ", r"(?s:.*?) silenced\)\."),
        ("Internal Server Error: /", r".*/"),
        ("System check identified no issues (0 silenced)", ""),
    )
)
"""Results of Django's that another message came in between of, and what that message begins with."""


def _django_line(line: str, found: Statuses) -> str:
    """Enter what one stripped line says; the line as it was understood."""
    for suffix in (" ... ok", " ... OK", " ...  OK"):
        if line.endswith(suffix):
            if line.startswith("Applying sites.0002_alter_domain_unique...test_no_migrations"):
                line = line.split("...", 1)[-1].strip()
            found[line.rsplit(suffix, 1)[0]] = "PASSED"
            break
    if " ... skipped" in line:
        found[line.split(" ... skipped")[0]] = "SKIPPED"
    for word, status in (("FAIL", "FAILED"), ("ERROR", "ERROR")):
        if line.endswith(f" ... {word}"):
            found[line.split(f" ... {word}")[0]] = status
        if line.startswith(f"{word}:"):
            words = line.split()
            if len(words) < 2:
                raise LogError(f"a line says {line!r} and no test")
            found[words[1]] = status
    return line


def _summary(line: str) -> list[str] | None:
    """The words of a line of pytest's short summary; None for any other line."""
    if not line.startswith(STATUSES):
        return None
    words = (line.replace(" - ", " ") if line.startswith("FAILED") else line).split()
    return None if len(words) <= 1 or _is_count(words) else words


def _is_count(words: list[str]) -> bool:
    """Whether it is "SKIPPED [3] file:line: reason", which names no test."""
    return words[0] == "SKIPPED" and bool(_SKIP_COUNT.match(words[1]))


def _short_option(test: str) -> str:
    start, end = test.find("["), test.rfind("]")
    if not 0 <= start < end:
        return test
    option = test[start + 1 : end]
    if option.startswith("/") and not option.startswith("//") and "*" not in option:
        option = "/" + option.split("/")[-1]
    return f"{test[:start]}[{option}]"


_KINDS: dict[str, tuple[Parser, str]] = {
    "parse_log_pytest": (pytest, "astroid flask marshmallow pvlib pyvista sqlfluff xarray"),
    "parse_log_pytest_options": (pytest_options, "pydicom requests pylint"),
    "parse_log_pytest_v2": (pytest_v2, "astropy scikit sphinx"),
    "parse_log_django": (django, ""),
    "parse_log_seaborn": (seaborn, ""),
    "parse_log_sympy": (sympy, ""),
    "parse_log_matplotlib": (matplotlib, ""),
}
PARSERS: dict[str, Parser] = {
    name: parser
    for own, (parser, others) in _KINDS.items()
    for name in (own, *(f"parse_log_{other}" for other in others.split()))
}
"""By the names that instances give them. Several projects have one under a name of their own."""
_REPOS = {"scikit-learn": "scikit", "pvlib-python": "pvlib"}


def parser(name: str) -> Parser:
    """The parser of that name. Raises TaskError naming those that there are."""
    if name not in PARSERS:
        raise TaskError(f"no log parser {name!r}: there are those of Python projects, {', '.join(PARSERS)}")
    return PARSERS[name]


def parser_of_repo(repo: str) -> str:
    """The parser of a project of the classic data set by "owner/name"; pytest's newer one for any other."""
    project = repo.rpartition("/")[2]
    name = f"parse_log_{_REPOS.get(project, project)}"
    return name if name in PARSERS else "parse_log_pytest_v2"
