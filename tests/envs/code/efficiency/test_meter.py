"""The meter: programs mean what they meant, cost what they do, and can not reach what counts."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgym.envs.code.efficiency import meter

PLENTY = 10**9


def measured(source, *calls, budget=PLENTY):
    job = {"source": source, "function": "f", "calls": [list(call) for call in calls], "budget": budget}
    return meter.measure(job)


def cost(source, *call):
    told = measured(source, call)
    assert told["error"] == "", told
    return told["cost"]


PROGRAMS = {
    "loops": "def f(a):\n    s = 0\n    for i, x in enumerate(a):\n        if i % 2:\n            continue\n        s += x\n"
    "    else:\n        s -= 1\n    while s > 10:\n        s //= 2\n        if s == 12:\n            break\n    return s",
    "chains": "def f(a):\n    n = len(a)\n    return [i for i in range(-2, n + 2) if 0 <= i < n and a[i] < a[-1] != 3]",
    "in place": "def f(a):\n    b = a\n    b += [1]\n    b[0] += 4\n    b[1:2] += [7]\n    a *= 2\n    s = 'x'\n    s += 'y'\n"
    "    t = {1}\n    t |= {2}\n    d = {'k': 1}\n    d['k'] <<= 3\n    return [a, b, s, sorted(t), d]",
    "slices": "def f(a):\n    a[1:3] = [9, 9, 9]\n    del a[0]\n    x, *r = a[::-1]\n    return [a, x, r, a[-2:], a[:1]]",
    "closures": "def f(a):\n    seen = 0\n    def g(x, k=2, *rest, **named):\n        nonlocal seen\n        seen += x * k\n"
    "        return seen\n    return [g(*a[:1]), g(1, k=5), (lambda x: x * x)(7), list(map(g, a)), seen]",
    "generators": "def f(a):\n    def g():\n        yield from a\n        yield 5\n    return [list(g()), sum(x for x in g()), "
    "any(x > 4 for x in g()), [*g(), *a], {x: y for x, y in zip(a, g())}.get(1), next(g())]",
    "library": "import heapq, math\nfrom collections import Counter, defaultdict, deque\nfrom bisect import bisect_left\n"
    "from itertools import accumulate, combinations, product\nfrom functools import lru_cache, reduce\n"
    "@lru_cache(maxsize=None)\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
    "def f(a):\n    d = defaultdict(list)\n    for x in a:\n        d[x % 3].append(x)\n    h = list(a)\n    heapq.heapify(h)\n"
    "    q = deque(a, 3)\n    q.appendleft(4)\n    return [sorted(d.items()), heapq.heappop(h), list(q), fib(30), "
    "list(accumulate(a)), len(list(combinations(a, 2))), list(product([1, 2], repeat=2)), bisect_left(sorted(a), 3), "
    "Counter(a).most_common(1), reduce(lambda x, y: x ^ y, a, 0), math.gcd(12, 18), max(a, key=lambda x: -x), "
    "dict.fromkeys(a), divmod(7, 2), pow(3, 40, 7), sorted(a, reverse=True)]",
    "strings": "def f(a):\n    s = ','.join(str(x) for x in a)\n    return [s, s.split(','), s[::-1], f'{len(a)}:{s:>9}', "
    "s.replace('1', 'one'), '%d' % 5, 'a' in s, ord('a'), s.count(','), s * 2, s.upper()]",
    "long": "def f(a):\n    x = 3 ** 200 + a[0]\n    return [x * x % 10**9, x >> 7, -x, ~x, (1 << 90) | 1, x.bit_length(), x == x + 1]",
    "walrus": "def f(a):\n    return [y for x in a if (y := x * 2) > 2 and not x == 9] if a else None",
}


@pytest.mark.parametrize("name", PROGRAMS)
@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=3, max_size=12))
def test_a_program_means_what_it_meant(name, values):
    space = {}
    exec(PROGRAMS[name], space)
    plain = json.dumps(space["f"](list(values)))
    told = measured(PROGRAMS[name], [list(values)])
    assert told["error"] == "" and told["results"] == [plain]
    assert told == measured(PROGRAMS[name], [list(values)])


@pytest.mark.parametrize(
    "body",
    [
        "sum(a)", "sorted(a)[0]", "a.count(1)", "max(a)", "len(a[1:])", "1 if -1 in a else 0", "len(a + a)",
        "len(set(a))", "len(list(map(abs, a)))", "any(x < 0 for x in a)", "[x for x in a if 0]", "len(str(a))",
        "len(','.join(map(str, a)))", "a == a[:]", "len(list(reversed(a)))", "a.copy()[0]", "len([*a])", "tuple(a)[0]",
        "len(dict.fromkeys(a))", "len(list(zip(a, a)))", "next(iter(sorted(a)))",
    ],
)  # fmt: skip
def test_no_builtin_hides_its_work(body):
    source = f"def f(a):\n    return {body}"
    small, large = cost(source, list(range(100))), cost(source, list(range(10_000)))
    assert large - small >= 9_900


@pytest.mark.parametrize("body", ["n * n", "n % (n - 1)", "pow(3, 5, n)", "n == n - 1", "n + 1", "n << 5", "-n"])
def test_long_integers_cost_their_length(body):
    source = f"def f(k):\n    n = (1 << k) + 1\n    return ({body}) == 0"
    assert cost(source, 60_000) - cost(source, 50) > 1_000


def test_a_dict_is_cheaper_than_a_list_and_more_is_dearer():
    in_list = "def f(n):\n    a = list(range(n))\n    return sum([1 for x in range(n) if x in a])"
    in_set = in_list.replace("list(range(n))", "set(range(n))")
    assert cost(in_list, 300) > 10 * cost(in_set, 300)
    costs = [cost(in_set, n) for n in range(0, 400, 50)]
    assert costs == sorted(set(costs))


@pytest.mark.parametrize(
    "body",
    [
        "1 << 10**12", "[0] * 10**12", "3 ** 10**9", "list(range(10**12))", "'x' * 10**12", "sum(range(10**12))",
        "[x for x in iter(range(10**12)) if 0]", "max(count(5))", "len(list(permutations(range(99))))", "factorial(10**9)",
    ],
)  # fmt: skip
def test_what_is_too_dear_is_stopped_before_it_is_done(body):
    told = measured(f"from itertools import *\nfrom math import factorial\ndef f():\n    return {body}".replace(
        "import *", "import count, permutations"), [], budget=50_000)  # fmt: skip
    assert told["error"] == "it costs more than 50000"


@pytest.mark.parametrize(
    "source",
    [
        "import os", "from sys import settrace", "().__class__", "def f(): exec('1')\nf()", "class A: pass", "__m_charge(1)",
        "f = (i for i in [1])\nf.gi_frame", "try:\n    pass\nexcept Exception: pass", "def solve(__m_a): pass",
        "'{0.x}'.format(1)", "getattr(1, 'a')", "import math\nmath.__dict__", "with x: pass", "import math as __m_get",
        "from functools import partial", "f'{().__class__}'", "global __m_cost", "async def f(): pass", "print(1)",
        "def f(a, *, __m_b=1): pass", "raise SystemExit", "[].append.x", "sum([[1]], [])", "a.b = 1", "x = __builtins__",
        "(lambda: 0).func_globals", "match 1:\n    case _: pass", "_ = [__m_k := 1]", "del __name__", "x @ y", "import typing.re",
    ],
)  # fmt: skip
def test_what_could_reach_the_meter_is_refused(source):
    told = measured(source + "\ndef f(): return 1", [])
    assert told["error"] and told["results"] == []


def test_the_program_for_agents(tmp_path):

    (tmp_path / "a.py").write_text("def f(x):\n    return x + 1")
    cases = [{"arguments": [1], "result": 2}, {"arguments": [2], "result": 9}]
    (tmp_path / "cases.json").write_text(json.dumps({"function": "f", "budget": 1000, "cases": cases}))
    command = [sys.executable, meter.__file__, "a.py", "cases.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("1 of 2 examples are right; cost ") and not done.stderr
