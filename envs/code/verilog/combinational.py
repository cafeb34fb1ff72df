"""Families of combinational modules, each with drawn widths, tables and options."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from agentgym.envs.code.verilog.design import Design, Port, Values, mask

_Op = tuple[str, str, Callable[[int, int, int], int]]
_OPS: dict[str, _Op] = {
    "add": ("a + b, lowest bits", "a + b", lambda a, b, w: a + b),
    "sub": ("a - b modulo 2^{w}", "a - b", lambda a, b, w: a - b),
    "rsub": ("b - a modulo 2^{w}", "b - a", lambda a, b, w: b - a),
    "and": ("bitwise a and b", "a & b", lambda a, b, w: a & b),
    "or": ("bitwise a or b", "a | b", lambda a, b, w: a | b),
    "xor": ("bitwise a exclusive-or b", "a ^ b", lambda a, b, w: a ^ b),
    "nor": ("bitwise not (a or b)", "~(a | b)", lambda a, b, w: ~(a | b)),
    "andn": ("bitwise a and (not b)", "a & ~b", lambda a, b, w: a & ~b),
    "not": ("bitwise not a; b is ignored", "~a", lambda a, b, w: ~a),
    "neg": ("0 - a modulo 2^{w}; b is ignored", "-a", lambda a, b, w: -a),
    "inc": ("a + 1 modulo 2^{w}; b is ignored", "a + 1'b1", lambda a, b, w: a + 1),
    "max": ("the greater of a and b", "(a > b) ? a : b", lambda a, b, w: max(a, b)),
    "min": ("the smaller of a and b", "(a < b) ? a : b", lambda a, b, w: min(a, b)),
    "lt": ("1 if a < b, else 0", "(a < b)", lambda a, b, w: int(a < b)),
    "eq": ("1 if a equals b, else 0", "(a == b)", lambda a, b, w: int(a == b)),
    "absdiff": ("the distance between a and b", "(a > b) ? a - b : b - a", lambda a, b, w: abs(a - b)),
    "shl": ("a shifted left by one, a 0 coming in; b is ignored", "a << 1", lambda a, b, w: a << 1),
    "rol": ("a rotated left by one; b is ignored", "{{a[{t}-1:0], a[{t}]}}", lambda a, b, w: a << 1 | a >> (w - 1)),
}


def alu(rng: Random) -> Design:
    width, bits = rng.randint(3, 16), rng.choice((2, 3))
    names = rng.sample(sorted(_OPS), 1 << bits)
    cases, rows = [], []
    for code, name in enumerate(names):
        words, text, _ = _OPS[name]
        cases.append(f"        {bits}'d{code}: r = {text.format(t=width - 1) if name == 'rol' else text};")
        rows.append(f"- op = {code}: {words.format(w=width)}")

    def out(_: object, v: Values) -> Values:
        y = _OPS[names[v["op"]]][2](v["a"], v["b"], width) & mask(width)
        return {"y": y, "zero": int(y == 0)}

    return Design(
        "an arithmetic and logic unit with an operation table of its own",
        ["alu", width, names],
        [Port("op", bits, "the operation"), Port("a", width, "operand"), Port("b", width, "operand")],
        [Port("y", width, "the result"), Port("zero", 1, "1 exactly if y is 0")],
        "The result for each value of op:\n\n" + "\n".join(rows),
        f"reg [{width - 1}:0] r;\nalways @* begin\n    case (op)\n"
        + "\n".join(cases)
        + f"\n        default: r = {width}'d0;\n    endcase\nend\nassign y = r;\nassign zero = (r == 0);",
        out,
    )


def adder(rng: Random) -> Design:
    width, saturating = rng.randint(3, 20), rng.random() < 0.5
    drop = rng.randint(0, 3) if width > 4 else 0
    top = mask(width)

    def out(_: object, v: Values) -> Values:
        exact = v["a"] + (v["b"] >> drop) + v["cin"]
        return {"sum": min(exact, top) if saturating else exact & top, "over": int(exact > top)}

    shifted = f" shifted right by {drop}" if drop else ""
    end = f"sum is then {top}" if saturating else f"sum is the result modulo 2^{width}"
    second = f"(b >> {drop})" if drop else "b"
    return Design(
        f"an adder that {'saturates' if saturating else 'wraps around'}",
        ["adder", width, saturating, drop],
        [Port("a", width, "operand"), Port("b", width, "operand"), Port("cin", 1, "carry in")],
        [Port("sum", width, "the sum"), Port("over", 1, "1 if the exact sum does not fit")],
        f"The exact sum is a plus b{shifted} plus cin. over is 1 if it is greater than {top}; {end}.",
        f"wire [{width}:0] full = {{1'b0, a}} + {second} + cin;\nassign over = full[{width}];\nassign sum = "
        + (f"full[{width}] ? {width}'d{top} : full[{width - 1}:0];" if saturating else f"full[{width - 1}:0];"),
        out,
    )


def mux(rng: Random) -> Design:
    ways, width = rng.randint(3, 7), rng.randint(1, 8)
    order = rng.sample(range(ways), ways)
    idle = rng.randrange(1 << width)
    names = [f"d{number}" for number in range(ways)]
    rows = "\n".join(f"- sel = {code}: {names[which]}" for code, which in enumerate(order))
    cases = "\n".join(f"        3'd{code}: r = {names[which]};" for code, which in enumerate(order))

    def out(_: object, v: Values) -> Values:
        return {"y": v[names[order[v["sel"]]]] if v["sel"] < ways else idle}

    return Design(
        f"a selector of one of {ways} words",
        ["mux", ways, width, order, idle],
        [Port("sel", 3, "which word"), *(Port(name, width, "a word") for name in names)],
        [Port("y", width, "the selected word")],
        f"{rows}\n- any other value of sel: the constant {idle}",
        f"reg [{width - 1}:0] r;\nalways @* begin\n    case (sel)\n{cases}\n"
        f"        default: r = {width}'d{idle};\n    endcase\nend\nassign y = r;",
        out,
    )


def priority(rng: Random) -> Design:
    lines, high, idle_low = rng.randint(4, 16), rng.random() < 0.5, rng.random() < 0.5
    bits = (lines - 1).bit_length()
    idle = rng.randrange(1 << bits)

    def out(_: object, v: Values) -> Values:
        active = [i for i in range(lines) if (v["req"] >> i & 1) == (0 if idle_low else 1)]
        return {"index": (max(active) if high else min(active)) if active else idle, "none": int(not active)}

    loop = f"for (i = 0; i < {lines}; i = i + 1)" if high else f"for (i = {lines - 1}; i >= 0; i = i - 1)"
    return Design(
        "a priority encoder",
        ["priority", lines, high, idle_low, idle],
        [Port("req", lines, f"requests, a request is a {0 if idle_low else 1}")],
        [Port("index", bits, "the winner's bit number"), Port("none", 1, "1 if nothing is requested")],
        f"Bit i of req is a request if it is {0 if idle_low else 1}. index is the {'highest' if high else 'lowest'} "
        f"number of a requesting bit (bit 0 is the least significant), or {idle} if there is none.",
        f"reg [{bits - 1}:0] r;\ninteger i;\nalways @* begin\n    r = {bits}'d{idle};\n    {loop}\n"
        f"        if ({'!' if idle_low else ''}req[i]) r = i;\nend\nassign index = r;\n"
        f"assign none = {'&req' if idle_low else '~|req'};",
        out,
    )


def code_converter(rng: Random) -> Design:
    width, kind, twist = rng.randint(3, 14), rng.choice(("gray", "binary", "reverse")), rng.random() < 0.5
    flip = rng.randrange(1 << width)
    bodies = {
        "gray": "assign t = x ^ (x >> 1);",
        "binary": f"genvar i;\ngenerate\n    for (i = 0; i < {width}; i = i + 1) begin : each\n"
        "        assign t[i] = ^(x >> i);\n    end\nendgenerate",
        "reverse": f"genvar i;\ngenerate\n    for (i = 0; i < {width}; i = i + 1) begin : each\n"
        f"        assign t[i] = x[{width - 1} - i];\n    end\nendgenerate",
    }
    words = {
        "gray": "y is the reflected Gray code of x: x exclusive-or x shifted right by one",
        "binary": "x is a reflected Gray code and y the binary number that it stands for: bit i of y is the exclusive-or "
        "of bits i and above of x",
        "reverse": "y is x with the order of its bits reversed",
    }

    def out(_: object, v: Values) -> Values:
        x = v["x"]
        if kind == "gray":
            y = x ^ x >> 1
        elif kind == "binary":
            y = sum(((x >> i).bit_count() & 1) << i for i in range(width))
        else:
            y = int(f"{x:0{width}b}"[::-1], 2)
        return {"y": y ^ flip, "parity": (x.bit_count() + twist) & 1}

    return Design(
        "a code converter with a parity bit",
        ["converter", width, kind, twist, flip],
        [Port("x", width, "the word")],
        [Port("y", width, "the converted word"), Port("parity", 1, "parity of x")],
        f"{words[kind]}; then every bit of y is inverted that is 1 in the constant {flip}. parity makes the number of "
        f"ones in x and parity together {'odd' if twist else 'even'}.",
        f"wire [{width - 1}:0] t;\n{bodies[kind]}\nassign y = t ^ {width}'d{flip};\nassign parity = "
        f"{'~^x' if twist else '^x'};",
        out,
    )


def table(rng: Random) -> Design:
    width = rng.randint(2, 7)
    rows = [rng.randrange(1 << width) for _ in range(16)]
    default = rng.randrange(1 << width)
    listed = sorted(rng.sample(range(16), rng.randint(8, 15)))
    words = "\n".join(f"- x = {x}: y = {rows[x]}" for x in listed)
    cases = "\n".join(f"        4'd{x}: r = {width}'d{rows[x]};" for x in listed)

    def out(_: object, v: Values) -> Values:
        return {"y": rows[v["x"]] if v["x"] in listed else default}

    return Design(
        "a look-up table",
        ["table", width, [rows[x] if x in listed else default for x in range(16)]],
        [Port("x", 4, "the row")],
        [Port("y", width, "its value")],
        f"{words}\n- any other x: y = {default}",
        f"reg [{width - 1}:0] r;\nalways @* begin\n    case (x)\n{cases}\n"
        f"        default: r = {width}'d{default};\n    endcase\nend\nassign y = r;",
        out,
    )


def count_bits(rng: Random) -> Design:
    width, kind, bit = rng.randint(4, 16), rng.choice(("all", "leading", "trailing")), rng.randrange(2)
    bits = width.bit_length()
    limit = rng.randint(1, width)

    def out(_: object, v: Values) -> Values:
        text = f"{v['x']:0{width}b}"
        if kind == "all":
            n = text.count(str(bit))
        else:
            text = text if kind == "leading" else text[::-1]
            n = len(text) - len(text.lstrip(str(bit)))
        return {"n": n, "many": int(n >= limit)}

    where = {"all": "in all of x", "leading": "in a row from the most significant end of x",
             "trailing": "in a row from the least significant end of x"}[kind]  # fmt: skip
    loop = f"for (i = {width - 1}; i >= 0; i = i - 1)" if kind == "leading" else f"for (i = 0; i < {width}; i = i + 1)"
    inside = (
        f"if (x[i] == 1'b{bit}) r = r + 1'b1;"
        if kind == "all"
        else f"begin\n        if (x[i] != 1'b{bit}) go = 0;\n        if (go) r = r + 1'b1;\n    end"
    )
    return Design(
        "a bit counter",
        ["count", width, kind, bit, limit],
        [Port("x", width, "the word")],
        [Port("n", bits, "the count"), Port("many", 1, f"1 if n is at least {limit}")],
        f"n is how many bits of x with the value {bit} there are {where}. many is 1 if n is {limit} or more.",
        f"reg [{bits - 1}:0] r;\nreg go;\ninteger i;\nalways @* begin\n    r = 0;\n    go = 1;\n    {loop} {inside}\nend\n"
        f"assign n = r;\nassign many = (r >= {limit});",
        out,
    )


def compare(rng: Random) -> Design:
    width, signed, offset = rng.randint(3, 16), rng.random() < 0.6, rng.randint(0, 6)
    half = 1 << (width - 1)
    kind = "two's complement" if signed else "unsigned"

    def number(x: int) -> int:
        return x - 2 * half if signed and x >= half else x

    def out(_: object, v: Values) -> Values:
        a, b = number(v["a"]), number(v["b"])
        low, high = (v["a"], v["b"]) if a <= b else (v["b"], v["a"])
        return {"low": low, "high": high, "far": int(abs(a - b) > offset)}

    lines = [
        f"wire signed [{width + 1}:0] sa = $signed({_extended('a', width, signed)});",
        f"wire signed [{width + 1}:0] sb = $signed({_extended('b', width, signed)});",
        f"wire signed [{width + 1}:0] d = (sa > sb) ? sa - sb : sb - sa;",
        "assign low = (sa <= sb) ? a : b;",
        "assign high = (sa <= sb) ? b : a;",
        f"assign far = (d > {offset});",
    ]
    return Design(
        f"a sorter of two {kind} numbers",
        ["compare", width, signed, offset],
        [Port("a", width, "a number"), Port("b", width, "a number")],
        [Port("low", width, "the smaller"), Port("high", width, "the greater"), Port("far", 1, "far apart")],
        f"a and b are {kind} numbers. low is the smaller and high the greater of "
        f"them. far is 1 if their exact distance is greater than {offset}.",
        "\n".join(lines),
        out,
    )


def _extended(name: str, width: int, signed: bool) -> str:
    top = f"{name}[{width - 1}]" if signed else "1'b0"
    return f"{{{{2{{{top}}}}}, {name}}}"


def shifter(rng: Random) -> Design:
    width = rng.choice((4, 8, 16))
    bits = width.bit_length() - 1
    kinds = rng.sample(("left", "right", "arithmetic", "rol", "ror"), 4)
    words = {
        "left": "shifted left, zeros coming in",
        "right": "shifted right, zeros coming in",
        "arithmetic": "shifted right, copies of its top bit coming in",
        "rol": "rotated left",
        "ror": "rotated right",
    }
    texts = {
        "left": "x << by",
        "right": "x >> by",
        "arithmetic": "$signed(x) >>> by",
        "rol": f"(x << by) | (x >> ({width} - by))",
        "ror": f"(x >> by) | (x << ({width} - by))",
    }

    def out(_: object, v: Values) -> Values:
        x, by, top = v["x"], v["by"], mask(width)
        signed = x - (1 << width) if x >> (width - 1) else x
        results = {
            "left": x << by,
            "right": x >> by,
            "arithmetic": signed >> by,
            "rol": x << by | x >> (width - by),
            "ror": x >> by | x << (width - by),
        }
        return {"y": results[kinds[v["mode"]]] & top}

    rows = "\n".join(f"- mode = {code}: {words[kind]}" for code, kind in enumerate(kinds))
    cases = "\n".join(f"        2'd{code}: r = {texts[kind]};" for code, kind in enumerate(kinds))
    return Design(
        "a barrel shifter",
        ["shifter", width, kinds],
        [Port("x", width, "the word"), Port("by", bits, "how far"), Port("mode", 2, "how")],
        [Port("y", width, "the word, moved")],
        f"y is x moved by `by` places:\n\n{rows}",
        f"reg [{width - 1}:0] r;\nalways @* begin\n    case (mode)\n{cases}\n    endcase\nend\nassign y = r;",
        out,
    )


FAMILIES = {
    "adder": adder, "alu": alu, "compare": compare, "converter": code_converter, "count-bits": count_bits, "mux": mux,
    "priority": priority, "shifter": shifter, "table": table,
}  # fmt: skip
