"""Families of problems with a slow solution that is right and a fast one: same results, many times cheaper.

Each draws constants, which are in the prose and in both programs, and knows how to draw inputs of a size: small ones to be
shown, large ones for the verdict.  That both programs agree, and that the slow one costs at least five times as much, is
tested.  Long because it is a catalogue: a family is read by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

Arguments = list[Any]


@dataclass(slots=True)
class Problem:
    """`inputs(rng, size)` draws the arguments of one call; `size` is that of the verdict's calls."""

    key: Any
    signature: str
    prose: str
    slow: str
    fast: str
    inputs: Callable[[Random, int], Arguments]
    size: int


def _list(rng: Random, size: int, low: int, high: int) -> list[int]:
    return [rng.randint(low, high) for _ in range(size)]


def range_sums(rng: Random) -> Problem:
    m, k = rng.randint(5, 400), rng.randint(2, 60)
    return Problem(
        ["range-sums", m, k],
        "solve(a, queries)",
        f"For each query [l, r] (0 <= l <= r < len(a)) the sum of (a[i] * {k} mod {m}) over l <= i <= r. "
        "Return the list of the sums.",
        f"""def solve(a, queries):
    out = []
    for l, r in queries:
        total = 0
        for i in range(l, r + 1):
            total += a[i] * {k} % {m}
        out.append(total)
    return out
""",
        f"""def solve(a, queries):
    sums = [0]
    for x in a:
        sums.append(sums[-1] + x * {k} % {m})
    return [sums[r + 1] - sums[l] for l, r in queries]
""",
        lambda rng, n: [
            _list(rng, n, 0, 999),
            [sorted((rng.randrange(n), rng.randrange(n))) for _ in range(max(2, n // 2))],
        ],
        400,
    )


def pairs_of_residues(rng: Random) -> Problem:
    m = rng.randint(7, 120)
    t = rng.randrange(m)
    return Problem(
        ["pairs-of-residues", m, t],
        "solve(a)",
        f"How many pairs i < j have (a[i] + a[j]) mod {m} = {t}.",
        f"""def solve(a):
    count = 0
    for i in range(len(a)):
        for j in range(i + 1, len(a)):
            if (a[i] + a[j]) % {m} == {t}:
                count += 1
    return count
""",
        f"""def solve(a):
    seen = [0] * {m}
    count = 0
    for x in a:
        count += seen[({t} - x) % {m}]
        seen[x % {m}] += 1
    return count
""",
        lambda rng, n: [_list(rng, n, 0, 10_000)],
        500,
    )


def pairs_at_distance(rng: Random) -> Problem:
    d, low = rng.randint(1, 300), rng.randint(0, 200)
    return Problem(
        ["pairs-at-distance", d, low],
        "solve(a)",
        f"How many pairs i < j have |a[i] - a[j]| = {d} and a[i] + a[j] >= {low}.",
        f"""def solve(a):
    count = 0
    for i in range(len(a)):
        for j in range(i + 1, len(a)):
            if abs(a[i] - a[j]) == {d} and a[i] + a[j] >= {low}:
                count += 1
    return count
""",
        f"""def solve(a):
    seen = {{}}
    count = 0
    for x in a:
        if 2 * x + {d} >= {low}:
            count += seen.get(x + {d}, 0)
        if 2 * x - {d} >= {low}:
            count += seen.get(x - {d}, 0)
        seen[x] = seen.get(x, 0) + 1
    return count
""",
        lambda rng, n: [_list(rng, n, 0, 600)],
        500,
    )


def window_extremes(rng: Random) -> Problem:
    k, great, weight = rng.randint(40, 90), rng.random() < 0.5, rng.randint(1, 9)
    word, name, sign = ("greatest", "max", ">=") if great else ("smallest", "min", "<=")
    return Problem(
        ["window-extremes", k, great, weight],
        "solve(a)",
        f"The sum of {weight} times the {word} element of each window of {k} consecutive elements of a (len(a) >= {k}).",
        f"""def solve(a):
    total = 0
    for i in range(len(a) - {k} + 1):
        best = a[i]
        for j in range(i, i + {k}):
            best = {name}(best, a[j])
        total += {weight} * best
    return total
""",
        f"""from collections import deque


def solve(a):
    kept = deque()
    total = 0
    for i, x in enumerate(a):
        while kept and x {sign} a[kept[-1]]:
            kept.pop()
        kept.append(i)
        if kept[0] <= i - {k}:
            kept.popleft()
        if i >= {k} - 1:
            total += {weight} * a[kept[0]]
    return total
""",
        lambda rng, n: [_list(rng, n + k, 0, 5000)],
        500,
    )


def next_greater(rng: Random) -> Problem:
    none, gap = rng.randint(0, 50), rng.randint(0, 40)
    return Problem(
        ["next-greater", none, gap],
        "solve(a)",
        f"For each i the distance j - i to the first j > i with a[j] > a[i], or {none} if there is none; "
        f"return the sum of the distances, each plus {gap}.",
        f"""def solve(a):
    total = 0
    for i in range(len(a)):
        found = {none}
        for j in range(i + 1, len(a)):
            if a[j] > a[i]:
                found = j - i
                break
        total += found + {gap}
    return total
""",
        f"""def solve(a):
    total = {gap} * len(a)
    waiting = []
    for i, x in enumerate(a):
        while waiting and a[waiting[-1]] < x:
            total += i - waiting.pop()
        waiting.append(i)
    return total + {none} * len(waiting)
""",
        lambda rng, n: [[2 * (n - i) + rng.randint(0, 40) for i in range(n)]],
        500,
    )


def linear_recurrence(rng: Random) -> Problem:
    p, q, m = rng.randint(2, 30), rng.randint(2, 30), rng.randint(1000, 90_000)
    return Problem(
        ["linear-recurrence", p, q, m],
        "solve(x, y, n)",
        f"The element f(n) of the sequence f(0) = x, f(1) = y, f(i) = ({p} * f(i-1) + {q} * f(i-2)) mod {m} for i >= 2 "
        f"(0 <= x, y < {m}).",
        f"""def solve(x, y, n):
    for _ in range(n):
        x, y = y, ({p} * y + {q} * x) % {m}
    return x
""",
        f"""def solve(x, y, n):
    # [[p, q], [1, 0]] to the n-th power, by squaring.
    a, b, c, d = 1, 0, 0, 1
    e, f, g, h = {p}, {q}, 1, 0
    while n:
        if n & 1:
            a, b, c, d = (a * e + b * g) % {m}, (a * f + b * h) % {m}, (c * e + d * g) % {m}, (c * f + d * h) % {m}
        e, f, g, h = (e * e + f * g) % {m}, (e * f + f * h) % {m}, (g * e + h * g) % {m}, (g * f + h * h) % {m}
        n >>= 1
    return (c * y + d * x) % {m}
""",
        lambda rng, n: [rng.randrange(m), rng.randrange(m), rng.randint(n // 2, n)],
        12_000,
    )


def grid_paths(rng: Random) -> Problem:
    m, step = rng.randint(50, 900), rng.random() < 0.5
    extra = " or diagonally right and down" if step else ""
    recursive = " + count(i + 1, j + 1)" if step else ""
    table = " + below[j + 1]" if step else ""
    return Problem(
        ["grid-paths", m, step],
        "solve(grid)",
        "grid is a list of rows of 0 and 1, where 1 is a wall; its corners are free. The number of paths from the upper left "
        f"cell to the lower right one that only go right or down{extra} through free cells, modulo {m}.",
        f"""def solve(grid):
    rows, columns = len(grid), len(grid[0])

    def count(i, j):
        if i >= rows or j >= columns or grid[i][j]:
            return 0
        if i == rows - 1 and j == columns - 1:
            return 1
        return count(i + 1, j) + count(i, j + 1){recursive}

    return count(0, 0) % {m}
""",
        f"""def solve(grid):
    columns = len(grid[0])
    below = [0] * (columns + 1)
    first = True
    for row in reversed(grid):
        now = [0] * (columns + 1)
        for j in range(columns - 1, -1, -1):
            if not row[j]:
                now[j] = 1 if first else (below[j] + now[j + 1]{table}) % {m}
                first = False
        below = now
    return below[0]
""",
        _grid,
        7,
    )


def _grid(rng: Random, n: int) -> Arguments:
    grid = [[int(rng.random() < 0.06) for _ in range(n)] for _ in range(n)]
    grid[0][0] = grid[-1][-1] = 0
    return [grid]


def longest_chain(rng: Random) -> Problem:
    m, strict = rng.randint(300, 5000), rng.random() < 0.5
    sign, name = ("<", "bisect_left") if strict else ("<=", "bisect_right")
    k = rng.randint(2, 99)
    return Problem(
        ["longest-chain", m, strict, k],
        "solve(a)",
        f"Let b[i] = a[i] * {k} mod {m}. The length of the longest subsequence of b (not necessarily contiguous) in which "
        f"each element is {'greater than' if strict else 'greater than or equal to'} the one before.",
        f"""def solve(a):
    b = [x * {k} % {m} for x in a]
    best = [1] * len(b)
    for i in range(len(b)):
        for j in range(i):
            if b[j] {sign} b[i]:
                best[i] = max(best[i], best[j] + 1)
    return max(best)
""",
        f"""from bisect import {name}


def solve(a):
    ends = []
    for x in a:
        x = x * {k} % {m}
        place = {name}(ends, x)
        if place == len(ends):
            ends.append(x)
        else:
            ends[place] = x
    return len(ends)
""",
        lambda rng, n: [_list(rng, n, 0, 9999)],
        350,
    )


def inversions(rng: Random) -> Problem:
    m, gap = rng.randint(20, 60), rng.randint(0, 9)
    return Problem(
        ["inversions", m, gap],
        "solve(a)",
        f"How many pairs i < j have a[i] mod {m} > a[j] mod {m} + {gap}.",
        f"""def solve(a):
    count = 0
    for i in range(len(a)):
        for j in range(i + 1, len(a)):
            if a[i] % {m} > a[j] % {m} + {gap}:
                count += 1
    return count
""",
        f"""def solve(a):
    # A Fenwick tree over residues: how many so far are at most x.
    tree = [0] * ({m} + 1)
    count = 0
    for seen, x in enumerate(a):
        x %= {m}
        place = min(x + {gap} + 1, {m})
        count += seen
        while place:
            count -= tree[place]
            place &= place - 1
        place = x + 1
        while place <= {m}:
            tree[place] += 1
            place += place & -place
    return count
""",
        lambda rng, n: [_list(rng, n, 0, 9999)],
        350,
    )


def components(rng: Random) -> Problem:
    weight, base = rng.randint(1, 99), rng.randint(0, 99)
    return Problem(
        ["components", weight, base],
        "solve(n, edges)",
        "Vertices 0 to n-1, no edges at first. The edges [u, v] are added in order; after each, let c be the number of "
        f"connected components. Return the list of {weight} * c + {base}.",
        f"""def solve(n, edges):
    neighbours = [[] for _ in range(n)]
    out = []
    for u, v in edges:
        neighbours[u].append(v)
        neighbours[v].append(u)
        seen = [False] * n
        count = 0
        for start in range(n):
            if not seen[start]:
                count += 1
                seen[start] = True
                stack = [start]
                while stack:
                    for other in neighbours[stack.pop()]:
                        if not seen[other]:
                            seen[other] = True
                            stack.append(other)
        out.append({weight} * count + {base})
    return out
""",
        f"""def solve(n, edges):
    parent = list(range(n))

    def find(x):
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    count = n
    out = []
    for u, v in edges:
        u, v = find(u), find(v)
        if u != v:
            parent[u] = v
            count -= 1
        out.append({weight} * count + {base})
    return out
""",
        lambda rng, n: [n, [[rng.randrange(n), rng.randrange(n)] for _ in range(n)]],
        90,
    )


def divisor_sums(rng: Random) -> Problem:
    k, m = rng.randint(2, 40), rng.randint(100, 999)
    top = 700
    return Problem(
        ["divisor-sums", k, m],
        "solve(numbers)",
        f"For each x of numbers (1 <= x <= {top}) the sum of (d * {k} mod {m}) over all divisors d of x. Return the list.",
        f"""def solve(numbers):
    out = []
    for x in numbers:
        total = 0
        for d in range(1, x + 1):
            if x % d == 0:
                total += d * {k} % {m}
        out.append(total)
    return out
""",
        f"""def solve(numbers):
    top = max(numbers)
    sums = [0] * (top + 1)
    for d in range(1, top + 1):
        worth = d * {k} % {m}
        for x in range(d, top + 1, d):
            sums[x] += worth
    return [sums[x] for x in numbers]
""",
        lambda rng, n: [_list(rng, n, 1, top)],
        400,
    )


def longest_within(rng: Random) -> Problem:
    limit, m = rng.randint(3000, 9000), rng.randint(20, 90)
    return Problem(
        ["longest-within", limit, m],
        "solve(a)",
        f"Let b[i] = a[i] mod {m}. The greatest length of a contiguous part of b whose sum is at most {limit} (0 if there is "
        "none).",
        f"""def solve(a):
    best = 0
    for i in range(len(a)):
        total = 0
        for j in range(i, len(a)):
            total += a[j] % {m}
            if total > {limit}:
                break
            best = max(best, j - i + 1)
    return best
""",
        f"""def solve(a):
    best = start = total = 0
    for i, x in enumerate(a):
        total += x % {m}
        while total > {limit}:
            total -= a[start] % {m}
            start += 1
        best = max(best, i - start + 1)
    return best
""",
        lambda rng, n: [_list(rng, n, 0, 9999)],
        450,
    )


def first_reaching(rng: Random) -> Problem:
    k, none = rng.randint(1, 50), rng.randint(1, 99)
    return Problem(
        ["first-reaching", k, none],
        "solve(a, targets)",
        f"a holds positive numbers. For each target t the least number of first elements of a whose sum, plus {k} for each "
        f"of them, is at least t (t >= 1), or -{none} if all of them do not reach t. Return the list.",
        f"""def solve(a, targets):
    out = []
    for t in targets:
        total, found = 0, -{none}
        for i in range(len(a)):
            total += a[i] + {k}
            if total >= t:
                found = i + 1
                break
        out.append(found)
    return out
""",
        f"""from bisect import bisect_left


def solve(a, targets):
    sums = []
    total = 0
    for x in a:
        total += x + {k}
        sums.append(total)
    out = []
    for t in targets:
        place = bisect_left(sums, t)
        out.append(place + 1 if place < len(sums) else -{none})
    return out
""",
        lambda rng, n: [_list(rng, n, 1, 30), [rng.randint(1, n * (17 + k)) for _ in range(n)]],
        300,
    )


def distinct_in_windows(rng: Random) -> Problem:
    k, m = rng.randint(50, 110), rng.randint(30, 200)
    return Problem(
        ["distinct-in-windows", k, m],
        "solve(a)",
        f"For each window of {k} consecutive elements of a (len(a) >= {k}) how many different values of x mod {m} its "
        "elements x have. Return the list.",
        f"""def solve(a):
    out = []
    for i in range(len(a) - {k} + 1):
        out.append(len({{x % {m} for x in a[i : i + {k}]}}))
    return out
""",
        f"""def solve(a):
    counts = [0] * {m}
    different = 0
    out = []
    for i, x in enumerate(a):
        x %= {m}
        if not counts[x]:
            different += 1
        counts[x] += 1
        if i >= {k}:
            old = a[i - {k}] % {m}
            counts[old] -= 1
            if not counts[old]:
                different -= 1
        if i >= {k} - 1:
            out.append(different)
    return out
""",
        lambda rng, n: [_list(rng, n + k, 0, 9999)],
        500,
    )


def subset_counts(rng: Random) -> Problem:
    m, extra = rng.randint(100, 9000), rng.randint(0, 5)
    return Problem(
        ["subset-counts", m, extra],
        "solve(a, target)",
        f"a holds positive numbers. In how many ways the sum target can be made of some of the elements, where each one used "
        f"counts as its value plus {extra}; different positions are different ways. Return the number modulo {m}.",
        f"""def solve(a, target):
    def count(i, rest):
        if i == len(a):
            return 1 if rest == 0 else 0
        return count(i + 1, rest) + count(i + 1, rest - a[i] - {extra})

    return count(0, target) % {m}
""",
        f"""def solve(a, target):
    ways = [1] + [0] * target
    for x in a:
        x += {extra}
        for total in range(target, x - 1, -1):
            ways[total] = (ways[total] + ways[total - x]) % {m}
    return ways[target]
""",
        lambda rng, n: [_list(rng, n, 1, 9), rng.randint(2 * n, 3 * n)],
        12,
    )


def covered_points(rng: Random) -> Problem:
    t, span = rng.randint(2, 30), rng.randint(300, 500)
    return Problem(
        ["covered-points", t, span],
        "solve(intervals)",
        f"intervals holds pairs [l, r] with 0 <= l <= r < {span}, ends included. How many whole numbers are in at least "
        f"{t} of them.",
        f"""def solve(intervals):
    count = 0
    for point in range({span}):
        inside = 0
        for l, r in intervals:
            if l <= point <= r:
                inside += 1
        if inside >= {t}:
            count += 1
    return count
""",
        f"""def solve(intervals):
    change = [0] * ({span} + 1)
    for l, r in intervals:
        change[l] += 1
        change[r + 1] -= 1
    count = inside = 0
    for point in range({span}):
        inside += change[point]
        if inside >= {t}:
            count += 1
    return count
""",
        lambda rng, n: [[sorted((rng.randrange(span), rng.randrange(span))) for _ in range(n)]],
        250,
    )


FAMILIES: dict[str, Callable[[Random], Problem]] = {
    "components": components, "covered-points": covered_points, "distinct-in-windows": distinct_in_windows,
    "divisor-sums": divisor_sums, "first-reaching": first_reaching, "grid-paths": grid_paths, "inversions": inversions,
    "linear-recurrence": linear_recurrence, "longest-chain": longest_chain, "longest-within": longest_within,
    "next-greater": next_greater, "pairs-at-distance": pairs_at_distance, "pairs-of-residues": pairs_of_residues,
    "range-sums": range_sums, "subset-counts": subset_counts, "window-extremes": window_extremes,
}  # fmt: skip
