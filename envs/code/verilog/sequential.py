"""Families of clocked modules, each with drawn widths, patterns, tables and options. All have a synchronous reset."""

from __future__ import annotations

import itertools
from random import Random

from agentgym.envs.code.verilog.design import Design, Port, Values, mask


def counter(rng: Random) -> Design:
    modulus = rng.randint(3, 40)
    width, two_way = modulus.bit_length(), rng.random() < 0.5
    start, step_by = rng.randrange(modulus), rng.choice((1, 1, 2, 3))

    def step(q: int, v: Values) -> int:
        if v["load"]:
            return min(v["d"], modulus - 1)
        if not v["en"]:
            return q
        return (q - step_by) % modulus if two_way and v["down"] else (q + step_by) % modulus

    def out(q: int, v: Values) -> Values:
        return {"q": q, "last": int(q == modulus - 1)}

    forward = f"(r >= {modulus - step_by}) ? r - {modulus - step_by} : r + {step_by}"
    back = f"(r < {step_by}) ? r + {modulus - step_by} : r - {step_by}"
    move = f"r <= down ? ({back}) : ({forward});" if two_way else f"r <= {forward};"
    return Design(
        f"a counter modulo {modulus}",
        ["counter", modulus, start, two_way, step_by],
        [
            Port("en", 1, "count"), Port("load", 1, "take d"), Port("d", width, "what to load"),
            *([Port("down", 1, "count down")] if two_way else []),
        ],
        [Port("q", width, "the count"), Port("last", 1, f"1 if q is {modulus - 1}")],
        f"q is one of 0 to {modulus - 1} and becomes {start} at reset. At an edge, if load is 1, q becomes d, or "
        f"{modulus - 1} if d is greater than that; else, if en is 1, q goes up by {step_by} modulo {modulus}"
        + (f" (down by {step_by} modulo {modulus} if down is 1)" if two_way else "")
        + "; else q stays.",
        f"reg [{width - 1}:0] r;\nalways @(posedge clk)\n    if (rst) r <= {start};\n"
        f"    else if (load) r <= (d > {modulus - 1}) ? {modulus - 1} : d;\n    else if (en) {move}\n"
        f"assign q = r;\nassign last = (r == {modulus - 1});",
        out, step, start,
    )  # fmt: skip


def lfsr(rng: Random) -> Design:
    width = rng.randint(4, 16)
    taps = sorted({width - 1, *rng.sample(range(width - 1), rng.randint(1, min(4, width - 1)))})
    start, inverted = rng.randrange(1, 1 << width), rng.random() < 0.3
    picked = sum(1 << tap for tap in taps)

    def step(q: int, v: Values) -> int:
        if not v["en"]:
            return q
        return (q << 1 | ((q & picked).bit_count() + inverted + v["mix"]) & 1) & mask(width)

    return Design(
        f"a linear feedback shift register of {width} bits",
        ["lfsr", width, taps, start, inverted],
        [Port("en", 1, "shift"), Port("mix", 1, "an extra feedback bit")],
        [Port("q", width, "the register")],
        f"q becomes {start} at reset. At an edge with en = 1, q moves one place towards its most significant bit, which is "
        f"lost, and the new bit 0 is the exclusive-or of mix and the old bits {', '.join(map(str, taps))} of q"
        + (", inverted." if inverted else ".")
        + " With en = 0, q stays.",
        f"reg [{width - 1}:0] r;\nwire bit_in = {'~' if inverted else ''}(mix ^ {' ^ '.join(f'r[{tap}]' for tap in taps)});\n"
        f"always @(posedge clk)\n    if (rst) r <= {width}'d{start};\n    else if (en) r <= {{r[{width - 2}:0], bit_in}};\n"
        "assign q = r;",
        lambda q, v: {"q": q}, step, start,
    )  # fmt: skip


def detector(rng: Random) -> Design:
    length, overlap, mealy = rng.randint(3, 6), rng.random() < 0.5, rng.random() < 0.5
    pattern = [rng.randrange(2) for _ in range(length)]
    text = "".join(map(str, pattern))
    target = int(text, 2)

    # The state: the bits seen that may still be part of a match, how many, and (Moore) whether one just ended.
    def advance(state: tuple[int, int, int], bit: int) -> tuple[int, int, int]:
        bits, count, _ = state
        bits, count = (bits << 1 | bit) & mask(length), min(count + 1, length)
        hit = int(count == length and bits == target)
        return (bits, 0 if hit and not overlap else count, hit)

    def out(state: tuple[int, int, int], v: Values) -> Values:
        return {"hit": advance(state, v["x"])[2] if mealy and v["valid"] else 0 if mealy else state[2]}

    def step(state: tuple[int, int, int], v: Values) -> tuple[int, int, int]:
        return advance(state, v["x"]) if v["valid"] else (state[0], state[1], 0)

    bits = length.bit_length()
    when = (
        f"hit is 1 during a cycle in which valid is 1 and x is the bit that completes {text} (it depends on x and valid "
        "directly)"
        if mealy
        else f"hit is 1 for the one cycle after the edge that took the bit that completes {text}, and 0 otherwise"
    )
    return Design(
        f"a detector of the bit sequence {text}",
        ["detector", text, overlap, mealy],
        [Port("valid", 1, "x counts"), Port("x", 1, "the next bit")],
        [Port("hit", 1, "found")],
        f"Only bits x at edges with valid = 1 count; the first of the sequence comes first. {when}. Occurrences "
        + ("may overlap." if overlap else "do not overlap: a bit that was part of one found is no part of another.")
        + " Reset forgets all bits.",
        f"reg [{length - 1}:0] bits;\nreg [{bits - 1}:0] count;\nreg found;\n"
        f"wire [{length - 1}:0] next = {{bits[{length - 2}:0], x}};\n"
        f"wire now = valid && (count >= {length - 1}) && (next == {length}'b{text});\n"
        "always @(posedge clk)\n    if (rst) begin\n        bits <= 0;\n        count <= 0;\n        found <= 0;\n"
        "    end else begin\n        found <= now;\n        if (valid) begin\n            bits <= next;\n"
        + ("" if overlap else "            if (now) count <= 0;\n            else ")
        + ("            " if overlap else "")
        + f"if (count < {length}) count <= count + 1'b1;\n        end\n    end\n"
        f"assign hit = {'now' if mealy else 'found'};",
        out, step, (0, 0, 0),
    )  # fmt: skip


def edges(rng: Random) -> Design:
    width, kind, hold = rng.randint(1, 6), rng.choice(("rising", "falling", "any")), rng.randint(1, 4)
    start = rng.randrange(1 << width)
    words = {"rising": "from 0 to 1", "falling": "from 1 to 0", "any": "either way"}[kind]
    term = {"rising": "x & ~prev", "falling": "~x & prev", "any": "x ^ prev"}[kind]

    def step(state: tuple[int, tuple[int, ...]], v: Values) -> tuple[int, tuple[int, ...]]:
        prev, recent = state
        x = v["x"]
        hit = {"rising": x & ~prev, "falling": ~x & prev, "any": x ^ prev}[kind] & mask(width)
        return x, (hit, *recent[:-1])

    def out(state: tuple[int, tuple[int, ...]], v: Values) -> Values:
        y = 0
        for each in state[1]:
            y |= each
        return {"y": y}

    names = [f"h{number}" for number in range(hold)]
    return Design(
        "an edge detector",
        ["edges", width, kind, hold, start],
        [Port("x", width, "signals")],
        [Port("y", width, "which of them changed lately")],
        f"At each edge every bit of x is compared with its value at the edge before (with the bits of {start} at the first "
        f"edge after reset). Where it changed ({words}), the same bit of y is 1 for {hold} cycle(s) after that edge; "
        "changes in that time make it last on. Reset clears y.",
        f"reg [{width - 1}:0] prev, {', '.join(names)};\nalways @(posedge clk)\n    if (rst) begin\n"
        f"        prev <= {width}'d{start};\n"
        + "".join(f"        {name} <= 0;\n" for name in names)
        + f"    end else begin\n        prev <= x;\n        h0 <= {term};\n"
        + "".join(f"        {name} <= {before};\n" for before, name in itertools.pairwise(names))
        + f"    end\nassign y = {' | '.join(names)};",
        out, step, (start, (0,) * hold),
    )  # fmt: skip


def fifo(rng: Random) -> Design:
    depth, width = rng.choice((2, 3, 4, 5, 8)), rng.randint(2, 8)
    blank = rng.randrange(1 << width)
    bits, near = depth.bit_length(), rng.randint(1, depth)

    def step(items: tuple[int, ...], v: Values) -> tuple[int, ...]:
        push = v["push"] and len(items) < depth
        pop = v["pop"] and items
        return (*(items[1:] if pop else items), *((v["d"],) if push else ()))

    def out(items: tuple[int, ...], v: Values) -> Values:
        return {
            "q": items[0] if items else blank, "count": len(items), "full": int(len(items) == depth),
            "near": int(len(items) >= near),
        }  # fmt: skip

    return Design(
        f"a queue (FIFO) of {depth} words",
        ["fifo", depth, width, blank, near],
        [Port("push", 1, "add d"), Port("pop", 1, "drop the oldest"), Port("d", width, "the word to add")],
        [
            Port("q", width, "the oldest word"), Port("count", bits, "how many words it holds"),
            Port("full", 1, f"1 if count is {depth}"), Port("near", 1, f"1 if count is {near} or more"),
        ],
        f"At an edge, push = 1 adds d unless the queue was full before the edge (then d is lost, even if pop is 1), and "
        f"pop = 1 drops the oldest word unless the queue was empty before the edge. Both may happen at one edge. q shows the "
        f"oldest word without delay, or {blank} when the queue is empty. Reset empties it.",
        f"reg [{width - 1}:0] mem [0:{depth - 1}];\nreg [{bits - 1}:0] n;\ninteger i;\n"
        f"wire do_push = push && (n != {depth});\nwire do_pop = pop && (n != 0);\n"
        "always @(posedge clk)\n    if (rst) n <= 0;\n    else begin\n"
        f"        if (do_pop)\n            for (i = 0; i < {depth - 1}; i = i + 1) mem[i] <= mem[i + 1];\n"
        "        if (do_push) mem[do_pop ? n - 1'b1 : n] <= d;\n        n <= n + do_push - do_pop;\n    end\n"
        f"assign q = (n == 0) ? {width}'d{blank} : mem[0];\nassign count = n;\nassign full = (n == {depth});\n"
        f"assign near = (n >= {near});",
        out, step, (),
    )  # fmt: skip


def pwm(rng: Random) -> Design:
    period, late = rng.randint(3, 30), rng.random() < 0.5
    width, low = period.bit_length(), rng.random() < 0.5

    def on(t: int, duty: int) -> int:
        active = t >= period - min(duty, period) if late else t < duty
        return int(active != low)

    def step(state: tuple[int, int], v: Values) -> tuple[int, int]:
        t, duty = state
        return (0, v["duty"]) if t == period - 1 else (t + 1, duty)

    active = f"(t >= {period} - ((held > {period}) ? {period} : held))" if late else "(t < held)"
    return Design(
        f"a pulse width modulator with a period of {period} cycles",
        ["pwm", period, late, low],
        [Port("duty", width, "active cycles in the next period")],
        [Port("y", 1, f"the pulse, active {'low' if low else 'high'}"), Port("first", 1, "1 in a period's first cycle")],
        f"Time is cut into periods of {period} cycles; the first begins after reset, with a duty of 0. At the edge that ends "
        f"a period, the duty of the next one is taken from the input. In a period y is active (that is, "
        f"{0 if low else 1}) in its {'last' if late else 'first'} duty cycles, in all of them if duty is {period} or more, "
        "and inactive in the others.",
        f"reg [{width - 1}:0] t, held;\nalways @(posedge clk)\n    if (rst) begin\n        t <= 0;\n        held <= 0;\n"
        f"    end else if (t == {period - 1}) begin\n        t <= 0;\n        held <= duty;\n    end else t <= t + 1'b1;\n"
        f"assign y = {'!' if low else ''}{active};\nassign first = (t == 0);",
        lambda s, v: {"y": on(*s), "first": int(s[0] == 0)}, step, (0, 0),
    )  # fmt: skip


def debounce(rng: Random) -> Design:
    rise, fall, start = rng.randint(2, 9), rng.randint(2, 9), rng.randrange(2)
    width = max(rise, fall).bit_length()

    def step(state: tuple[int, int], v: Values) -> tuple[int, int]:
        y, n = state
        if v["x"] == y:
            return y, 0
        return (1 - y, 0) if n + 1 == (fall if y else rise) else (y, n + 1)

    return Design(
        "a debouncer",
        ["debounce", rise, fall, start],
        [Port("x", 1, "the noisy signal")],
        [Port("y", 1, "the steady signal")],
        f"y is {start} after reset. It becomes 1 at the edge that sees x = 1 for the {rise}th time in a row, and 0 at the "
        f"edge that sees x = 0 for the {fall}th time in a row; a row starts anew at reset and whenever x equals y.",
        f"reg r;\nreg [{width - 1}:0] n;\nwire enough = (n == (r ? {fall - 1} : {rise - 1}));\n"
        f"always @(posedge clk)\n    if (rst) begin\n        r <= 1'b{start};\n        n <= 0;\n"
        "    end else if (x == r) n <= 0;\n    else if (enough) begin\n        r <= x;\n        n <= 0;\n"
        "    end else n <= n + 1'b1;\nassign y = r;",
        lambda s, v: {"y": s[0]}, step, (start, 0),
    )  # fmt: skip


def divider(rng: Random) -> Design:
    periods = [rng.randint(2, 20) for _ in range(2)]
    high = rng.randint(1, min(periods))
    width = max(periods).bit_length()

    def step(t: int, v: Values) -> int:
        if not v["run"]:
            return t
        return 0 if t >= periods[v["slow"]] - 1 else t + 1

    return Design(
        "a divider of the clock",
        ["divider", periods, high],
        [Port("run", 1, "count"), Port("slow", 1, "which period")],
        [Port("y", 1, "the divided clock"), Port("t", width, "the count")],
        f"A count t is 0 after reset. At an edge with run = 1 it becomes 0 if it is {periods[0] - 1} or more with slow = 0, "
        f"or {periods[1] - 1} or more with slow = 1; else it goes up by 1. With run = 0 it stays. y is 1 exactly while t is "
        f"less than {high}.",
        f"reg [{width - 1}:0] r;\nalways @(posedge clk)\n    if (rst) r <= 0;\n    else if (run)\n"
        f"        r <= (r >= (slow ? {periods[1] - 1} : {periods[0] - 1})) ? 0 : r + 1'b1;\n"
        f"assign t = r;\nassign y = (r < {high});",
        lambda t, v: {"y": int(t < high), "t": t}, step, 0,
    )  # fmt: skip


def machine(rng: Random) -> Design:
    states, bits, mealy, width = rng.randint(3, 6), rng.choice((1, 2)), rng.random() < 0.5, rng.randint(1, 3)
    words = range(1 << bits)
    moves = [[rng.randrange(states) for _ in words] for _ in range(states)]
    shown = [
        [rng.randrange(1 << width) for _ in words] if mealy else [rng.randrange(1 << width)] for _ in range(states)
    ]
    start = rng.randrange(states)
    rows, cases = [], []
    for state in range(states):
        for x in words:
            y = f", y = {shown[state][x]}" if mealy else ""
            rows.append(f"- state {state}, x = {x}: next state {moves[state][x]}{y}")
            value = shown[state][x if mealy else 0]
            cases.append(f"        {{3'd{state}, {bits}'d{x}}}: begin next = {moves[state][x]}; z = {value}; end")
    told = (
        "y depends on the state and on x at once, as the table says."
        if mealy
        else "y depends on the state alone: "
        + ", ".join(f"{shown[state][0]} in state {state}" for state in range(states))
        + "."
    )
    return Design(
        f"a {'Mealy' if mealy else 'Moore'} machine with {states} states",
        ["machine", states, bits, mealy, moves, shown, start],
        [Port("x", bits, "the input")],
        [Port("y", width, "the output")],
        f"The state after reset is {start}. At each edge:\n\n" + "\n".join(rows) + f"\n\n{told}",
        f"reg [2:0] state, next;\nreg [{width - 1}:0] z;\nalways @* begin\n    next = {start};\n    z = 0;\n"
        "    case ({state, x})\n" + "\n".join(cases) + "\n    endcase\nend\n"
        f"always @(posedge clk)\n    if (rst) state <= {start};\n    else state <= next;\nassign y = z;",
        lambda s, v: {"y": shown[s][v["x"] if mealy else 0]}, lambda s, v: moves[s][v["x"]], start,
    )  # fmt: skip


def accumulator(rng: Random) -> Design:
    narrow, shift = rng.randint(2, 7), rng.randint(0, 2)
    largest = mask(narrow) << shift
    ceiling = rng.randint(largest + 1, 8 * largest)
    width = ceiling.bit_length()

    def step(q: int, v: Values) -> int:
        if v["clear"]:
            q = 0
        return max(0, q - v["d"]) if v["sub"] else min(ceiling, q + (v["d"] << shift))

    return Design(
        "an accumulator that stops at its bounds",
        ["accumulator", width, narrow, ceiling, shift],
        [Port("d", narrow, "how much"), Port("sub", 1, "subtract"), Port("clear", 1, "start from 0")],
        [Port("q", width, "the total"), Port("top", 1, f"1 if q is {ceiling}")],
        f"q is 0 after reset. At each edge the old total is q, or 0 if clear is 1; then q becomes the old total plus "
        f"{1 << shift} times d, but {ceiling} at most, or with sub = 1 the old total minus d, but 0 at least.",
        f"reg [{width - 1}:0] r;\nwire [{width + 1}:0] old = clear ? 0 : r;\nwire [{width + 1}:0] up = old + (d * {1 << shift});\n"
        f"always @(posedge clk)\n    if (rst) r <= 0;\n    else if (sub) r <= (old < d) ? 0 : old - d;\n"
        f"    else r <= (up > {ceiling}) ? {ceiling} : up;\nassign q = r;\nassign top = (r == {ceiling});",
        lambda q, v: {"q": q, "top": int(q == ceiling)}, step, 0,
    )  # fmt: skip


FAMILIES = {
    "accumulator": accumulator, "counter": counter, "debounce": debounce, "detector": detector, "divider": divider,
    "edges": edges, "fifo": fifo, "lfsr": lfsr, "machine": machine, "pwm": pwm,
}  # fmt: skip
