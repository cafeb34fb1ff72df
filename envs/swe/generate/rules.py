"""What makes a package, a release, a hunk or a test unfit for a task: one small rule for each trap, with its reason.

A rule gives the reason as text, or None if it has nothing against it; its name is what the report says.  Rules look at
what is known already and run nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentgym.envs.swe.generate.pairs import Pair
from agentgym.envs.swe.hunks import Hunk, put_back
from agentgym.envs.swe.patch_filter import is_test
from agentgym.envs.swe.runner import TestRun
from agentgym.envs.swe.testdeps import check
from agentgym.errors import TaskError

MOST_LINES = 300
"""Changed source lines of a pair that is one task."""
MOST_PARTED = 3000
"""Changed source lines of a pair that is taken apart."""
MOST_CPU_S = 20.0
MOST_FAILING = 25
_TELLING = 40
"""Characters of new lines that do not stand in two places by chance."""
_RUNNER = {"pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py", "exceptiongroup", "tomli"}
_TIMING = re.compile(r"perf|timing|benchmark|speed|thread|timeout|linear|quadratic|quickly|under_\d+m?s", re.I)
_CLOCKS = {"monotonic", "perf_counter", "process_time", "monotonic_ns", "perf_counter_ns", "elapsed", "deadline"}
_NETWORK = re.compile(
    r"gaierror|name resolution|Network is unreachable|Name or service not known|URLError|NewConnectionError|"
    r"No route to host|Max retries exceeded",
    re.I,
)
_CLOCK = re.compile(r"(19|20)\d\d-?[01]\d-?[0-3]\d[T _]?[0-2]\d[:_-]?[0-5]\d|\b1[6-9]\d{8}(\.\d+)?\b")
_HALF = re.compile(r"^(NameError|UnboundLocalError|ImportError|ModuleNotFoundError|IndentationError|SyntaxError)\b")


@dataclass(frozen=True, slots=True)
class Refusal:
    """`rule` is the name of the rule, `detail` its reason in this case."""

    rule: str
    detail: str


class Refused(Exception):
    """Something is unfit. Raised and caught within this folder."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.refusal = Refusal(rule, detail)


@dataclass(frozen=True, slots=True)
class Split:
    """Some hunks of one file of a pair."""

    pair: Pair
    hunks: tuple[Hunk, ...]

    @property
    def path(self) -> str:
        return self.hunks[0].path

    @property
    def base(self) -> str:
        """The file with the hunks put back."""
        before, after = (self.pair.text(side, self.path) or "" for side in (self.pair.base, self.pair.fix))
        return put_back(self.hunks, before, after)

    @property
    def size(self) -> int:
        return sum(hunk.size for hunk in self.hunks)


@dataclass(frozen=True, slots=True)
class Probe:
    """A run without the solution: of the tests `passing` with it, `failing` fail and `lost` have no status.

    `used` are the names in the code of the failing tests.
    """

    run: TestRun
    passing: tuple[str, ...]
    failing: tuple[str, ...]
    lost: tuple[str, ...]
    used: frozenset[str] = frozenset()


def refuse(rules: Iterable[Callable[..., str | None]], *facts: Any) -> None:
    """Raise Refused with the first rule that has something against the facts."""
    for rule in rules:
        if (detail := rule(*facts)) is not None:
            raise Refused(rule.__name__.replace("_", "-"), detail)


# --- a package ---


def runner_imports_it(pair: Pair, deps: Path, copies: Collection[str]) -> str | None:
    """pytest itself needs the package: a broken base would break the runner."""
    needed = {pair.package.replace("-", "_").lower(), *pair.modules} & _RUNNER
    return f"pytest imports {', '.join(sorted(needed))}" if needed else None


def copy_in_dependencies(pair: Pair, deps: Path, copies: Collection[str]) -> str | None:
    """The test dependencies hold the package: the solution in plain sight, or tested in its place."""
    try:
        check(deps, {pair.package, *pair.modules})
    except TaskError as error:
        return str(error)
    return None


def copy_in_box(pair: Pair, deps: Path, copies: Collection[str]) -> str | None:
    """The box's own Python, or something vendored into it, holds the package."""
    return f"the box has {', '.join(sorted(copies)[:3])}" if copies else None


PACKAGE = (runner_imports_it, copy_in_dependencies, copy_in_box)

# --- a pair of releases ---


def no_tests(pair: Pair) -> str | None:
    return None if pair.tests else "the source distribution holds no tests"


def no_change_in_tests(pair: Pair) -> str | None:
    return None if pair.targets else "the release changed no test module"


def no_change_in_source(pair: Pair) -> str | None:
    return None if pair.sources else "the release changed no source file"


def too_large(pair: Pair) -> str | None:
    return f"{pair.changed_lines} changed lines" if pair.changed_lines > MOST_PARTED else None


def tests_in_source(pair: Pair) -> str | None:
    """A module that is a test by its name is part of the code under test (a package called "testing")."""
    mixed = [
        path for path in pair.paths if is_test(path) and path.split("/")[-1] == "__init__.py" and _is_top(pair, path)
    ]
    return f"{mixed[0]} is the package itself" if mixed else None


def _is_top(pair: Pair, path: str) -> bool:
    folder = path.rpartition("/")[0].split("/")[-1]
    return folder in pair.modules


PAIR = (no_tests, no_change_in_tests, no_change_in_source, too_large, tests_in_source)


def whole_too_large(pair: Pair) -> str | None:
    return f"{pair.changed_lines} changed lines" if pair.changed_lines > MOST_LINES else None


WHOLE = (whole_too_large,)

# --- a run of the tests on the solution ---


def never_ends(run: TestRun, written: Collection[str]) -> str | None:
    return "the tests do not end in time" if run.timed_out else None


def not_believed(run: TestRun, written: Collection[str]) -> str | None:
    return run.faults[0] if run.faults else None


def not_started(run: TestRun, written: Collection[str]) -> str | None:
    """pytest itself gives up: most often a conftest that can not be imported."""
    return last_line(run.log) if run.exit_code == 4 and not run.statuses else None


def too_slow(run: TestRun, written: Collection[str]) -> str | None:
    return f"the tests take {run.cpu_s:.0f} CPU s" if run.cpu_s > MOST_CPU_S else None


def writes_to_the_tree(run: TestRun, written: Collection[str]) -> str | None:
    return f"the tests leave or change {', '.join(sorted(written)[:3])}" if written else None


def collection(run: TestRun, written: Collection[str]) -> str | None:
    if run.broken and not run.statuses:
        path, message = sorted(run.broken.items())[0]
        return f"{path} is not collected: {last_line(message)}"
    return None


def nothing_passes(run: TestRun, written: Collection[str]) -> str | None:
    if run.with_status("passed"):
        return None
    message = next((m for id, m in sorted(run.messages.items()) if m), "no test was run")
    return f"no test passes on the solution: {last_line(message)}"


SOLUTION = (never_ends, not_started, not_believed, too_slow, writes_to_the_tree, collection, nothing_passes)

# --- a test: what keeps its id out of a task ---


def odd_id(id: str, message: str) -> str | None:
    """Line breaks and other control characters; spaces are fine, statuses travel as JSON."""
    return "a character that does not print" if not id.isprintable() or len(id) > 500 else None


def clock_in_id(id: str, message: str) -> str | None:
    """The time of the run is in the id: it is another test the next time."""
    today = datetime.now(UTC)
    dated = any(today.strftime(form) in id for form in ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y"))
    return "a time in its name" if dated or _CLOCK.search(id.partition("::")[2]) else None


def measures_time(id: str, message: str) -> str | None:
    return "measures time, by its name" if _TIMING.search(id) else None


def reads_a_clock(used: Collection[str]) -> bool:
    """Whether a test with these names in its code measures how long something takes."""
    return not _CLOCKS.isdisjoint(used)


def needs_network(id: str, message: str) -> str | None:
    return f"needs the network: {last_line(message)}" if _NETWORK.search(message) else None


TEST = (odd_id, clock_in_id, measures_time, needs_network)


def why_left_out(id: str, message: str) -> str | None:
    """The name of the first rule against a test."""
    return next((rule.__name__.replace("_", "-") for rule in TEST if rule(id, message) is not None), None)


# --- a hunk ---


def not_python(split: Split) -> str | None:
    try:
        compile(split.base, split.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return f"{split.path} does not parse with it put back: {error}"
    return None


def hunk_too_large(split: Split) -> str | None:
    return f"{split.size} changed lines" if split.size > MOST_LINES else None


def stands_elsewhere(split: Split) -> str | None:
    """The new lines stand in another file of the tree: a second copy of the package, a `build` folder."""
    text = split.pair.text(split.pair.fix, split.path) or ""
    new = ["\n".join(text.split("\n")[slice(*hunk.fix_lines)]) for hunk in split.hunks]
    long = [lines for lines in new if len(lines.strip()) >= _TELLING]
    for path in split.pair.paths:
        if path == split.path or not path.endswith((".py", ".pyx", ".pyi", ".orig", ".rej", ".patch")):
            continue
        other = split.pair.text(split.pair.fix, path) or ""
        copied = path.endswith("/" + split.path.rpartition("/")[2]) and all(
            lines in other for lines in new if lines.strip()
        )
        if other == text or (copied and "".join(new).strip()) or (long and all(lines in other for lines in long)):
            return f"{path} has the same lines"
    return None


HUNK = (not_python, hunk_too_large, stands_elsewhere)

# --- a run of the tests without the solution ---


def hangs_without(probe: Probe) -> str | None:
    return "the tests do not end in time" if probe.run.timed_out else None


def not_collected_without(probe: Probe) -> str | None:
    """The tests import names that the fix brings: nobody could guess them."""
    if probe.run.broken:
        path, message = sorted(probe.run.broken.items())[0]
        return f"{path}: {last_line(message)}"
    return None


def not_believed_without(probe: Probe) -> str | None:
    return probe.run.faults[0] if probe.run.faults else None


def unnoticed(probe: Probe) -> str | None:
    return None if probe.failing else "no test fails"


def breaks_too_much(probe: Probe) -> str | None:
    gone = len(probe.failing) + len(probe.lost)
    many = len(probe.failing) > MOST_FAILING or gone > max(3, 0.6 * len(probe.passing))
    return f"{gone} of {len(probe.passing)} tests fail" if many else None


def half_a_change(probe: Probe) -> str | None:
    """What is left names something that only the put-back lines define, and that no test names."""
    messages = [probe.run.messages.get(id, "") for id in probe.failing]
    return f"all fail with {last_line(messages[0])}" if all(_is_half(each, probe.used) for each in messages) else None


def _is_half(message: str, used: Collection[str]) -> bool:
    attribute = re.match(r"AttributeError: .*has no attribute '(\w+)'", message)
    return bool(_HALF.match(message)) or (attribute is not None and attribute[1] not in used)


WITHOUT = (hangs_without, not_collected_without, not_believed_without, unnoticed, breaks_too_much, half_a_change)


def last_line(message: str) -> str:
    """The last line that says something, cut."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(E\s+)?\w*(Error|Exception)\b", line)]
    return (errors or lines or ["no message"])[-1][:200]
