"""What programs are made of: stages with drawn constants, each a function or two and the lines of `run` that use them.

Texts of the little language of `ir.py`.  A stage gets its number, so that names do not clash, and a source of draws.
Long because it is a catalogue: a stage is read by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Stage = Callable[[Random, int], tuple[str, str]]


def _formula(rng: Random, names: list[str], depth: int = 2) -> str:
    """An expression over whole numbers below some thousands, whose value is small."""
    if depth == 0:
        return rng.choice([*names, *names, str(rng.randint(1, 12))])
    left, right = _formula(rng, names, depth - 1), _formula(rng, names, depth - 1)
    divisor = rng.choice([-7, -5, -3, 2, 3, 4, 6, 9, 11])
    return rng.choice(
        [
            f"({left} * {rng.randint(2, 9)} + {right})", f"({left} - {right} * {rng.randint(2, 9)})",
            f"({left} + {right}) % {rng.randint(13, 97)}", f"tmod({left} - {right}, {rng.randint(5, 40)})",
            f"({left} // {divisor} + {right})", f"(tdiv({left}, {divisor}) - {right})",
            f"({left} ^ {right})", f"({left} & {rng.randint(7, 127)}) + {right}",
            f"({left} if {right} % 2 == 0 else {rng.randint(1, 30)} - {left})",
        ]
    )  # fmt: skip


def _test(rng: Random, names: list[str]) -> str:
    one = f"{_formula(rng, names, 1)} {rng.choice(['<', '>', '<=', '>='])} {rng.randint(-20, 40)}"
    two = f"{rng.choice(names)} % {rng.randint(2, 5)} {rng.choice(['==', '!='])} {rng.randint(0, 1)}"
    return rng.choice([one, two, f"{one} and {two}", f"{one} or {two}", f"not ({one})"])


def fold(rng: Random, k: int) -> tuple[str, str]:
    modulus = rng.randint(100, 9999)
    return (
        f"""
def mix{k}(x, i):
    return {_formula(rng, ["x", "i"])}
""",
        f"""
    total{k} = {rng.randint(0, 50)}
    for i in range(n):
        total{k} = (total{k} * {rng.randint(2, 30)} + mix{k}(a[i], i)) % {modulus}
    emit(total{k})
""",
    )


def choose(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def keep{k}(x, i):
    if {_test(rng, ["x", "i"])}:
        return 1
    return 0
""",
        f"""
    b{k} = [0] * n
    count{k} = 0
    for i in range(n):
        if keep{k}(a[i], i) == 1:
            b{k}[count{k}] = {_formula(rng, ["a[i]", "i"], 1)}
            count{k} += 1
    emit(count{k}, n - count{k})
    for i in range(count{k} - 1, -1, -1):
        emit(i, b{k}[i])
""",
    )


def divisors(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def gcd{k}(x, y):
    if x < 0:
        x = -x
    if y < 0:
        y = -y
    while y != 0:
        t = x % y
        x = y
        y = t
    return x
""",
        f"""
    g{k} = {rng.randint(0, 12)}
    for i in range(n - 1):
        g{k} = (g{k} * {rng.randint(2, 7)} + gcd{k}(a[i] * {rng.randint(1, 9)}, a[i + 1] + {rng.randint(0, 20)})) % 10007
    emit(g{k})
""",
    )


def steps(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def steps{k}(x):
    count = 0
    while x != 1 and count < {rng.randint(20, 60)}:
        if x % 2 == 0:
            x = x // 2
        else:
            x = x * {rng.choice([3, 3, 5])} + 1
            if x > 100000:
                x = x % {rng.randint(100, 999)} + 1
        count += 1
    return count
""",
        f"""
    best{k} = -1
    for i in range(n):
        c{k} = steps{k}((a[i] if a[i] > 0 else {rng.randint(1, 20)} - a[i]) + {rng.randint(1, 30)})
        if c{k} > best{k}:
            best{k} = c{k}
            emit(i, c{k})
""",
    )


def sort(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def weight{k}(x):
    return {_formula(rng, ["x"], 1)} % {rng.randint(5, 60)}

def sort{k}(b: list, n):
    for i in range(1, n):
        x = b[i]
        j = i
        while j > 0 and weight{k}(b[j - 1]) {rng.choice(["<", ">"])} weight{k}(x):
            b[j] = b[j - 1]
            j -= 1
        b[j] = x
""",
        f"""
    d{k} = [0] * n
    for i in range(n):
        d{k}[i] = a[i]
    sort{k}(d{k}, n)
    for i in range(0, n, {rng.randint(1, 3)}):
        emit(d{k}[i])
""",
    )


def runs(rng: Random, k: int) -> tuple[str, str]:
    return (
        "",
        f"""
    start{k} = 0
    for i in range(1, n + 1):
        if i == n or a[i] {rng.choice(["<", ">", "<="])} a[i - 1]:
            if i - start{k} >= {rng.randint(1, 2)}:
                emit(start{k}, i - start{k}, a[start{k}] + a[i - 1])
            start{k} = i
""",
    )


def shift(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def shift{k}(c, i):
    if c {rng.choice(["<", ">"])} {rng.randint(100, 118)}:
        return (c - 97 + {rng.randint(1, 25)} + i * {rng.randint(0, 5)}) % 26 + 97
    return (c - 97 - {rng.randint(1, 25)}) % 26 + {rng.choice([65, 97])}
""",
        f"""
    t{k} = [0] * m
    for i in range(m):
        t{k}[i] = shift{k}(s[{rng.choice(["i", "m - 1 - i"])}], i)
    say(t{k}, m)
""",
    )


def letters(rng: Random, k: int) -> tuple[str, str]:
    return (
        "",
        f"""
    counts{k} = [0] * 26
    for i in range(m):
        counts{k}[s[i] - 97] += {rng.choice(["1", "i + 1", "2"])}
    for i in range({rng.choice(["26", "25, -1, -1"])}):
        if counts{k}[i] > {rng.randint(0, 1)}:
            emit(i + {rng.choice([0, 1, 97])}, counts{k}[i])
""",
    )


def squeeze(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def squeeze{k}(s: list, m, out: list):
    size = 0
    i = 0
    while i < m:
        j = i
        while j < m and s[j] == s[i]:
            j += 1
        out[size] = s[i]
        size += 1
        if j - i > {rng.randint(1, 2)}:
            out[size] = 48 + (j - i) % 10
            size += 1
        i = j
    return size
""",
        f"""
    u{k} = [0] * (2 * m)
    z{k} = squeeze{k}(s, m, u{k})
    say(u{k}, z{k})
    emit(z{k})
""",
    )


def palindromes(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def mirrored{k}(s: list, i, j):
    while i < j:
        if s[i] != s[j]:
            return 0
        i += 1
        j -= 1
    return 1
""",
        f"""
    p{k} = 0
    for i in range(m):
        for j in range(i + {rng.randint(0, 2)}, m):
            p{k} += mirrored{k}(s, i, j) * {rng.choice(["1", "(j - i + 1)", "(i + 1)"])}
    emit(p{k})
""",
    )


def coins(rng: Random, k: int) -> tuple[str, str]:
    kinds = rng.sample(range(1, 12), 3)
    adds = "".join(
        f"""
    for i in range({coin}, size + 1):
        ways[i] = (ways[i] + ways[i - {coin}]) % {rng.randint(500, 9999)}"""
        for coin in kinds
    )
    return (
        f"""
def ways{k}(size):
    ways = [0] * (size + 1)
    ways[0] = 1{adds}
    return ways[size]
""",
        f"""
    for i in range(0, n, {rng.randint(1, 3)}):
        emit(ways{k}((a[i] if a[i] > 0 else -a[i]) % {rng.randint(20, 60)} + {rng.randint(0, 9)}))
""",
    )


def primes(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def primes{k}(top):
    composite = [0] * (top + 1)
    total = 0
    for p in range(2, top + 1):
        if composite[p] == 0:
            total = (total * {rng.randint(1, 9)} + p) % {rng.randint(300, 9999)}
            for q in range(2, top // p + 1):
                composite[p * q] = 1
    return total
""",
        f"""
    emit(primes{k}(n * {rng.randint(3, 9)} + {rng.randint(5, 60)}))
""",
    )


def bisection(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def root{k}(x):
    low = 0
    high = x + 1
    while high - low > 1:
        middle = (low + high) // 2
        if middle * middle {rng.choice(["<=", "<"])} x:
            low = middle
        else:
            high = middle
    return low
""",
        f"""
    for i in range(0, n, {rng.randint(2, 4)}):
        emit(root{k}((a[i] * a[i] + {rng.randint(0, 300)}) * {rng.randint(1, 9)}))
""",
    )


def digits(rng: Random, k: int) -> tuple[str, str]:
    base = rng.choice([2, 3, 7, 10, -2, -3])
    first, second = ("//", "%") if base > 0 and rng.random() < 0.5 else ("tdiv", "tmod")
    quotient = f"x // {base}" if first == "//" else f"tdiv(x, {base})"
    rest = f"x % {base}" if second == "%" else f"tmod(x, {base})"
    return (
        f"""
def digits{k}(x, depth):
    if x == 0 or depth == 0:
        return {rng.randint(0, 5)}
    return ({rest}) * {rng.randint(2, 9)} + digits{k}({quotient}, depth - 1)
""",
        f"""
    for i in range(0, n, {rng.randint(1, 3)}):
        emit(digits{k}(a[i] * {rng.randint(2, 40)} - {rng.randint(0, 99)}, {rng.randint(5, 14)}))
""",
    )


def recursion(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def walk{k}(x, y):
    if x <= 0:
        return y + {rng.randint(0, 9)}
    if y <= 0:
        return x * {rng.randint(1, 5)}
    if {_test(rng, ["x", "y"])}:
        return (walk{k}(x - {rng.randint(1, 2)}, y) + {rng.randint(1, 9)}) % {rng.randint(100, 999)}
    return (walk{k}(x - 1, y - {rng.randint(1, 2)}) * {rng.randint(2, 5)} + x - y) % {rng.randint(100, 999)}
""",
        f"""
    emit(walk{k}(n % 15 + {rng.randint(3, 12)}, m % 15 + {rng.randint(3, 12)}))
""",
    )


def matrix(rng: Random, k: int) -> tuple[str, str]:
    modulus = rng.randint(50, 999)
    return (
        f"""
def times{k}(x: list, y: list, z: list):
    for i in range(3):
        for j in range(3):
            total = 0
            for h in range(3):
                total += x[i * 3 + h] * y[h * 3 + j]
            z[i * 3 + j] = total % {modulus}
""",
        f"""
    x{k} = [0] * 9
    y{k} = [{rng.randint(1, 3)}] * 9
    y{k}[{rng.randint(0, 8)}] = {rng.randint(4, 20)}
    z{k} = [0] * 9
    for i in range(9):
        x{k}[i] = (a[i % n] + i * {rng.randint(1, 9)}) % {modulus}
    for i in range({rng.randint(1, 4)}):
        times{k}(x{k}, y{k}, z{k})
        for j in range(9):
            x{k}[j] = z{k}[j]
    for i in range(3):
        emit(x{k}[i * 3], x{k}[i * 3 + 1], x{k}[i * 3 + 2])
""",
    )


def bits(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def next{k}(x):
    x = (x * {rng.randrange(3, 60, 2)} + {rng.randint(1, 99)}) & 8191
    x = x ^ (x >> {rng.randint(1, 5)})
    return (x << {rng.randint(1, 3)}) & 4095 | {rng.randint(0, 3)}

def ones{k}(x):
    count = 0
    while x > 0:
        count += x & 1
        x = x >> 1
    return count
""",
        f"""
    r{k} = m * {rng.randint(3, 50)} + n
    for i in range({rng.randint(3, 9)}):
        r{k} = next{k}(r{k})
        emit(r{k}, ones{k}(r{k}))
""",
    )


def josephus(rng: Random, k: int) -> tuple[str, str]:
    return (
        "",
        f"""
    gone{k} = [0] * n
    at{k} = {rng.randint(0, 5)} % n
    left{k} = n
    while left{k} > {rng.randint(0, 1)}:
        w{k} = {rng.randint(2, 6)}
        while w{k} > 0:
            at{k} = (at{k} + 1) % n
            if gone{k}[at{k}] == 0:
                w{k} -= 1
        gone{k}[at{k}] = 1
        left{k} -= 1
        emit(at{k}, a[at{k}])
""",
    )


def subsequence(rng: Random, k: int) -> tuple[str, str]:
    return (
        f"""
def larger{k}(x, y):
    return x if x > y else y

def common{k}(s: list, m):
    table = [0] * ((m + 1) * (m + 1))
    for i in range(1, m + 1):
        for j in range(1, m + 1):
            if s[i - 1] == s[m - j]:
                table[i * (m + 1) + j] = table[(i - 1) * (m + 1) + j - 1] + {rng.randint(1, 3)}
            else:
                table[i * (m + 1) + j] = larger{k}(table[(i - 1) * (m + 1) + j], table[i * (m + 1) + j - 1])
    return table[(m + 1) * (m + 1) - 1]
""",
        f"""
    emit(common{k}(s, m) * {rng.randint(1, 9)})
""",
    )


def automaton(rng: Random, k: int) -> tuple[str, str]:
    rule = rng.choice([18, 22, 30, 45, 54, 60, 73, 90, 105, 110, 126, 150])
    return (
        "",
        f"""
    row{k} = [46] * n
    new{k} = [46] * n
    for i in range(n):
        if a[i] % {rng.randint(2, 4)} == 0:
            row{k}[i] = 35
    for g in range({rng.randint(2, 5)}):
        for i in range(n):
            v{k} = 0
            if row{k}[(i + n - 1) % n] == 35:
                v{k} += 4
            if row{k}[i] == 35:
                v{k} += 2
            if row{k}[(i + 1) % n] == 35:
                v{k} += 1
            new{k}[i] = 35 if ({rule} >> v{k}) & 1 == 1 else 46
        for i in range(n):
            row{k}[i] = new{k}[i]
        say(row{k}, n)
""",
    )


def stack(rng: Random, k: int) -> tuple[str, str]:
    return (
        "",
        f"""
    st{k} = [0] * (m + 2)
    top{k} = 1
    st{k}[0] = {rng.randint(1, 20)}
    for i in range(m):
        o{k} = s[i] % 5
        if o{k} < 2 or top{k} < 2:
            st{k}[top{k}] = s[i] - {rng.randint(90, 110)}
            top{k} += 1
        elif o{k} == 2:
            top{k} -= 1
            st{k}[top{k} - 1] = {rng.choice(["tmod", "tdiv"])}(st{k}[top{k} - 1] * st{k}[top{k}], {rng.randint(7, 90)})
        elif o{k} == 3:
            top{k} -= 1
            st{k}[top{k} - 1] -= st{k}[top{k}]
        else:
            st{k}[top{k} - 1] = -st{k}[top{k} - 1] // {rng.randint(2, 5)}
    emit(top{k}, st{k}[top{k} - 1])
""",
    )


STAGES: dict[str, Stage] = {
    "automaton": automaton, "bisection": bisection, "bits": bits, "choose": choose, "coins": coins, "digits": digits,
    "divisors": divisors, "fold": fold, "josephus": josephus, "letters": letters, "matrix": matrix,
    "palindromes": palindromes, "primes": primes, "recursion": recursion, "runs": runs, "shift": shift, "sort": sort,
    "squeeze": squeeze, "stack": stack, "steps": steps, "subsequence": subsequence,
}  # fmt: skip
HELD_OUT = frozenset({"automaton", "stack", "subsequence"})


def assemble(rng: Random, first: str, more: list[str]) -> str:
    """The text of a program: the stage `first` and up to three of `more`, in a drawn order."""
    names = [first, *rng.sample([name for name in more if name != first], rng.randint(1, 3))]
    rng.shuffle(names)
    parts = [STAGES[name](rng, number) for number, name in enumerate(names, 1)]
    functions = "\n".join(text.strip("\n") + "\n" for text, _ in parts if text)
    main = "".join(lines.strip("\n") + "\n" for _, lines in parts)
    return f"{functions}\ndef run(a: list, n, s: list, m):\n{main}"
