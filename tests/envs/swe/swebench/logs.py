"""Logs to grade: every line that the parsers have a rule for, and such as nearly are, put together at random."""

from random import Random

from agentgym.envs.swe.swebench.eval_script import END, START

TESTS = (
    "t.py::a", "t.py::b", "t.py::c", "t.py::C::d", "t.py::p[1]", "t.py::p[1 2]", "t.py::p[a-b]", "t.py::p[a - b]",
    "t.py::p[log(photon /", "t.py::p[log(photon", "t.py::p[[", "t.py::p[]]", "t.py::o[/x/y/z]", "t.py::o[//x/y]", "t.py::o[/x/*]",
    "t.py::o[/a/z]tail", "t.py::m[MouseButton.LEFT]", "t.py::m[1]", "test_add", "test_add (app.tests.Case)", "test a ... b",
    "ß.py::ü[é]", "t.py::line\nfeed", "t.py::tab\tid", "", " ", "[3]", "[100%]", "-", "t.py::p[1m]", "t.py::x[31m]",
    "--version is equivalent to version", "t.py::PASSED", "PASSED", "t.py::p[a] - x", "t.py::p\x0b\x0cq", "t.py::\u2028z",
)  # fmt: skip
STATUSES = ("PASSED", "FAILED", "ERROR", "SKIPPED", "XFAIL", "XPASS", "PASSEDx", "ERROR:", "passed", "FAILED:")
LINES = (
    "{s} {t}", "{s} {t} - assert 1 == 2", "{s} {t}", "{t} {s}", "{t} {s} [ 50%]", "{s} [3] t.py:7: no", "SKIPPED [1] {t}",
    "\x1b[32m{s}\x1b[0m {t}", "\x1b[31m{s}\x1b[0m \x1b[1m{t}\x1b[0m - x", "{s}", " {s} {t}", "{t} {s}\r", "{s} {t}\r",
    "{t} ... ok", "{t} ... OK", "{t} ...  OK", "{t} ... skipped 'why'", "{t} ... FAIL", "{t} ... ERROR", "FAIL: {t}", "ERROR: {t}",
    "{t} ... expected failure", "{t} ... noise", "ok", "okay then", "  ok", "{t} ok", "{t} F", "{t} E", "{t} f", "test_{t} ok",
    "{t} ... Testing against Django installed in '/x' with up to 4 processes", "Found 1 test (1 silenced).", "x silenced).",
    "{t} ... Internal Server Error: /a/b/", "{t} ... Internal Server Error: //", "... Internal Server Error: /x/",
    "{t} ... System check identified no issues (0 silenced)", "{t}", "____ sympy/core/tests/test_x.py:{t} ____",
    "_ a.py:b _", " a.py:b ", "a .py: b .py:c _", "__ x y.py:z", "_.py:_ _ .py: _", "Applying sites.0002_alter_domain_unique...{t} ... ok",
    "Applying sites.0002_alter_domain_unique...test_no_migrations{t} ... ok", "FAIL:", "ERROR:", "PASSED  {t}  extra words",
    "= 3 passed in 0.1s =", "no tests ran in 0.1s", "Killed", "ModuleNotFoundError: No module named 'x'", "Could not resolve host: x",
    "Executed 0 of 0", "Executed 3 of 10", "0 passing", "10 passing", "007 passing", "Tests:  5", "Tests: 0", "# tests 3",
    "12 specs, 0 failures", "0 specs, 0 failures", "Test Suites: 1 failed, 2 total", "case': ok", "TOTAL: 3 SUCCESS", "TOTAL: 0 FAILED",
    "{t} PASSED [ 10%]", "PASSED {t} PASSED x", "xPASSED", "{t} xPASSED", "{t}\x00{s}", "٣ passing", "1٣ specs, 2 failures",
)  # fmt: skip
MARKERS = (
    ">>>>> Patch Apply Failed", ">>>>> Reset Failed", ">>>>> Tests Errored", ">>>>> Tests Timed Out", ">>>>> Some Tests Failed",
    ">>>>> Applied Patch", START, END,
)  # fmt: skip
CODES = ("0", "1", "2", "-9", " 1", "x", "137", "٣")


def body(rng: Random) -> str:
    """Lines of a log."""
    few = rng.sample(TESTS, rng.randint(1, 6))  # so that the same test comes up more than once
    kinds = rng.sample(LINES, rng.randint(1, 8)) if rng.random() < 0.8 else LINES
    lines = [rng.choice(kinds).format(s=rng.choice(STATUSES), t=rng.choice(few)) for _ in range(rng.randint(0, 14))]
    return rng.choice(("\n", "\n", "\n", "\r\n", "\r")).join(lines)


def log(rng: Random) -> str:
    """A whole log, most often with its markers where they belong."""
    before, after = (body(rng) if rng.random() < 0.3 else "", body(rng) if rng.random() < 0.3 else "")
    start = f"+ : '{START}'\n" if rng.random() < 0.93 else ""
    end = f"\n+ : '{END}'\n" if rng.random() < 0.93 else ""
    code = f">>>>> Test Exit Code: {rng.choice(CODES)}\n" if rng.random() < 0.6 else ""
    stray = f"\n{rng.choice(MARKERS)}\n" if rng.random() < 0.08 else ""
    if rng.random() < 0.03:
        start, end = end, start
    return f"{before}\n{start}{body(rng)}{stray}{end}{code}{after}"


def ids(rng: Random) -> list[str]:
    return [rng.choice(TESTS) for _ in range(rng.randint(0, 5))]
