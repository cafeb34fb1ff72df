"""Pages that take text, dates, numbers: forms of all kinds."""

from __future__ import annotations

import re

from agentgym.envs.web.miniwob.solvers.scene import Call, Scene, Solver, Stuck, click, fill, fill_then, filled
from agentgym.envs.web.reading import Row


def _quoted_text(scene: Scene) -> Call:
    text = scene.quoted[0]
    if "lower case" in scene.goal:
        text = text.lower()
    elif "upper case" in scene.goal:
        text = text.upper()
    return fill_then(scene, [(scene.fields[0], text)])


def _login(scene: Scene) -> Call:
    user, password = scene.quoted
    if cancel := scene.find("Cancel", "button"):
        return click(cancel)  # something popped up
    last = scene.all("button")[-1].name
    return fill_then(scene, [(scene.fields[0], user), (scene.fields[1], password)], last)


def _password(scene: Scene) -> Call:
    return fill_then(scene, [(row, scene.quoted[0]) for row in scene.fields[:2]])


def _date(scene: Scene) -> Call:
    month, day, year = scene.match(r"(\d+)/(\d+)/(\d+)").groups()
    return fill_then(scene, [(scene.fields[0], f"{year}-{month}-{day}")])


def _time(scene: Scene) -> Call:
    hour, minute, half = scene.match(r"(\d+):(\d+) ([AP])M").groups()
    clock = int(hour) % 12 + 12 * (half == "P")
    return fill_then(scene, [(scene.fields[0], f"{clock:02}:{minute}")])


def _copy(scene: Scene) -> Call:
    """From the nth field that had something in it to the one that had not."""
    before = [row for row in scene.first if row.role == "textbox"]
    texts = [row.value or "" for row in before if row.value]
    empty = next(n for n, row in enumerate(before) if not row.value)
    return fill_then(scene, [(scene.fields[empty], texts[scene.ordinals[0] - 1 if scene.ordinals else 0])])


def _table(scene: Scene) -> Call:
    cells = scene.all("cell")
    values = {cells[n].name: cells[n + 1].name for n in range(0, len(cells) - 1, 2)}
    labels = [row.name.rstrip(":") for row in scene.all("LabelText")] or [scene.match(r"value of (.*) into")[1]]
    return fill_then(scene, [(row, values[label]) for row, label in zip(scene.fields, labels, strict=True)])


def _arithmetic(scene: Scene) -> Call:
    left, sign, right = re.findall(r"-?\d+|[-+x×*]", _sum(scene))[:3]
    one, other = int(left), int(right)
    return fill_then(scene, [(scene.fields[0], str({"+": one + other, "-": one - other}.get(sign, one * other)))])


def _algebra(scene: Scene) -> Call:
    text = _sum(scene)
    for x in range(-500, 501):
        left, _, right = text.replace("x", f"({x})").partition("=")
        if _total(left) == _total(right):
            return fill_then(scene, [(scene.fields[0], str(x))])
    raise Stuck(f"no number solves {text!r}")


def _sum(scene: Scene) -> str:
    return next(row.name for row in scene.rows if row.role == "StaticText" and "=" in row.name and len(row.name) > 4)


def _total(text: str) -> int:
    """The value of "3 - (-4)" and the like."""
    terms = re.findall(r"([-+]?)\s*\(?(-?\d+)\)?", text)
    return sum((-1 if sign == "-" else 1) * int(number) for sign, number in terms)


def _word(scene: Scene) -> Call:
    words = scene.all("paragraph")[0].name.split()
    return fill_then(scene, [(scene.fields[0], words[scene.ordinals[0] - 1].strip(".,"))])


def _last_word(scene: Scene) -> Call:
    text = scene.fields[0].value or ""
    return fill_then(scene, [(scene.fields[1], text.split()[-1].strip(".,"))])


def _transform(scene: Scene) -> Call:
    letters = "".join(row.name for row in scene.all("StaticText"))
    return fill_then(scene, [(scene.fields[0], letters)])


def _spinner(scene: Scene) -> Call:
    wanted, field = int(scene.match(r"Select (-?\d+)")[1]), scene.fields[0]
    here = int(field.value or 0)
    if here == wanted:
        return click(scene.need("Submit", "button"))
    return "press", {"bid": field.ref, "key_comb": "ArrowUp" if wanted > here else "ArrowDown"}


def _form_two(scene: Scene) -> Call:
    radio, number, box = scene.ordinals[0], scene.quoted[0], scene.ordinals[1]
    wanted = scene.all("radio")[radio - 1]
    if "checked" not in wanted.states:
        return click(wanted)
    return fill_then(scene, [(scene.fields[box - 1], number)])


def _movies(scene: Scene) -> Call:
    """Fields in any order, with labels beside, above or inside."""
    genre, director, year = scene.match(r"Search for (.*) movies directed by (.*) from year (\d+)").groups()
    for field in scene.fields:
        label = _label(scene, field).casefold()
        text = genre if "genre" in label else director if "director" in label else year
        if not filled(field, text):
            return fill(field, text)
    buttons = [row for row in scene.rows if row.role == "button" or "clickable" in row.states]
    return click(buttons[-1])


def _label(scene: Scene, field: Row) -> str:
    """What is written next to a field: its own name, or the text before it, or after it if the form begins with a field."""
    if field.name:
        return field.name
    at = scene.rows.index(field)
    below = scene.rows[0].role == "textbox"
    near = scene.rows[at + 1 :] if below else reversed(scene.rows[:at])
    return next((row.name for row in near if row.name and row.role not in ("textbox", "cell")), "")


def _autocomplete(scene: Scene) -> Call:
    start = scene.quoted[0]
    end = scene.quoted[1] if len(scene.quoted) > 1 else ""
    field = scene.fields[0]
    value = field.value or ""
    if value.startswith(start) and value.endswith(end) and len(value) > len(start):
        return click(scene.need("Submit", "button"))
    options = [row for row in scene.all("menuitem", "option", "listitem") if row.name.startswith(start)]
    if found := next((row for row in options if row.name.endswith(end)), None):
        return click(found)
    return "fill", {"bid": field.ref, "value": start, "enable_autocomplete_menu": True}


def _guess(scene: Scene) -> Call:
    """Halve what is left."""
    low, high = 0, 9
    field = scene.fields[0]
    fills = [int(given["value"]) for name, given in scene.done if name == "fill"]
    said = " ".join(row.name for row in scene.all("StaticText")).casefold()
    if fills and scene.done[-1][0] == "fill":
        return click(scene.need("Submit", "button"))
    for n, guess in enumerate(fills):
        higher = fills[n + 1] > guess if n + 1 < len(fills) else "higher" in said
        low, high = (guess + 1, high) if higher else (low, guess - 1)
    return fill(field, str((low + high) // 2))


def _generate(scene: Scene) -> Call:
    """Again and again until the number is as wanted."""
    how, bound = scene.match(r"(less than|greater than|even|odd)(?: (\d+))?").groups()
    shown = next((row.name for row in scene.all("StaticText") if re.fullmatch(r"\d+", row.name)), None)
    if shown is not None:
        number = int(shown)
        right = {"even": number % 2 == 0, "odd": number % 2 == 1}.get(
            how, number < int(bound or 0) if how == "less than" else number > int(bound or 0)
        )
        if right:
            return click(scene.need("Submit", "button"))
    return click(scene.need("Generate", "button"))


SOLVERS: dict[str, Solver] = {
    "enter-text": _quoted_text,
    "enter-text-2": _quoted_text,
    "enter-text-dynamic": _quoted_text,
    "login-user": _login,
    "login-user-popup": _login,
    "enter-password": _password,
    "enter-date": _date,
    "enter-time": _time,
    "copy-paste": _copy,
    "copy-paste-2": _copy,
    "read-table": _table,
    "read-table-2": _table,
    "simple-arithmetic": _arithmetic,
    "simple-algebra": _algebra,
    "find-word": _word,
    "scroll-text": _last_word,
    "text-transform": _transform,
    "use-spinner": _spinner,
    "form-sequence-2": _form_two,
    "multi-layouts": _movies,
    "multi-orderings": _movies,
    "use-autocomplete": _autocomplete,
    "use-autocomplete-nodelay": _autocomplete,
    "guess-number": _guess,
    "generate-number": _generate,
}
