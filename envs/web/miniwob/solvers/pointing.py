"""Pages that take a place: shapes, colours, coordinates, dragging. Places are those shown with the elements."""

from __future__ import annotations

import math
import re

from agentgym.envs.web.miniwob.solvers.scene import Call, Calls, Scene, Solver, Stuck, at, click
from agentgym.envs.web.reading import Row

_PALETTE = (
    "black 000000 red ff0000 green 008000 blue 0000ff yellow ffff00 magenta ff00ff aqua 00ffff cyan 00ffff grey 808080 white ffffff "
    "lime 00ff00 olive 808000 orange ffa500 purple 800080 pink ffc0cb gray 808080 brown a52a2a fuchsia ff00ff"
)
_WORDS = _PALETTE.split()
_COLOURS = {name: tuple(bytes.fromhex(code)) for name, code in zip(_WORDS[::2], _WORDS[1::2], strict=True)}
_OFF = 2
"""The pages draw a point that many pixels to the right of where the mouse was, and below."""
_SHAPES = ("rect", "circle", "polygon", "text")


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(float(part)) for part in re.findall(r"[\d.]+", colour)[:3])


def _colour(scene: Scene) -> Call:
    wanted = _COLOURS[scene.match(r"Click on the (\w+) colored box")[1]]
    return click(next(row for row in scene.rows if row.colour and rgb(row.colour) == wanted))


def _shades(scene: Scene) -> Call:
    """A shade of a colour has more of it than of the two others."""
    main = ("red", "green", "blue").index(scene.match(r"shades of (\w+)")[1])
    for row in scene.rows:
        if row.colour:
            parts = rgb(row.colour)
            if max(range(3), key=lambda n: parts[n]) == main and click(row) not in scene.done:
                return click(row)
    return click(scene.need("Submit", "button"))


def _fits(row: Row, words: list[str]) -> bool:
    """Whether a shape is as described: size, colour, kind."""
    kind = "digit" if row.role == "text" and row.name.isdigit() else "letter" if row.role == "text" else {
        "rect": "rectangle", "circle": "circle", "polygon": "triangle"}[row.role]  # fmt: skip
    height = (row.box or (0, 0, 0, 0))[3]
    large = height > (15 if row.role == "text" else 12)
    for word in words:
        single = word.rstrip("s") or word
        if len(single) == 1 and word != "a" and row.name != single:
            return False
        if single == "shape" and kind in ("digit", "letter"):
            return False
        if word in _COLOURS:
            if rgb(row.colour) != _COLOURS[word]:
                return False
        elif word in ("large", "small"):
            if large != (word == "large"):
                return False
        elif single in ("digit", "letter", "rectangle", "circle", "triangle") and single != kind:
            return False
    return True


def _shapes(scene: Scene) -> list[Row]:
    return [row for row in scene.rows if row.role in _SHAPES and row.colour]


def _shape(scene: Scene) -> Call:
    words = scene.match(r"Click on an? (.*)")[1].replace(" item", "").split()
    found = next(row for row in _shapes(scene) if _fits(row, words))
    return click(found)


def _count(scene: Scene) -> Call:
    words = scene.match(r"How many (.*?)(?: are there)?\?")[1].split()
    number = sum(_fits(row, words) for row in _shapes(scene))
    return click(scene.need(str(number), "button"))


def _identify(scene: Scene) -> Call:
    row = _shapes(scene)[0]
    names = {"rect": "Rectangle", "circle": "Circle", "polygon": "Triangle"}
    name = names.get(row.role) or ("Number" if row.name.isdigit() else "Letter")
    return click(scene.need(name, "button"))


def _ascending(scene: Scene) -> Call:
    """After the first click the numbers are covered."""
    numbers = sorted((row for row in scene.first if row.role == "text"), key=lambda row: int(row.name))
    return at(*numbers[len(scene.done)].centre)


def _grid(scene: Scene) -> Call:
    x, y = map(int, scene.match(r"\((-?\d+),(-?\d+)\)").groups())
    points = scene.all("circle")
    columns = sorted({row.centre[0] for row in points})
    lines = sorted({row.centre[1] for row in points}, reverse=True)
    return click(next(row for row in points if row.centre == (columns[x + 2], lines[y + 2])))


def _centre(scene: Scene) -> Call:
    return click(scene.need("Submit", "button")) if scene.done else at(*scene.all("circle")[0].centre)


def _midpoint(scene: Scene) -> Call:
    one, other = (row.centre for row in scene.all("circle")[:2])
    if scene.done:
        return click(scene.need("Submit", "button"))
    return at((one[0] + other[0]) / 2 - _OFF, (one[1] + other[1]) / 2 - _OFF)


def _corner(scene: Scene) -> tuple[tuple[float, float], list[tuple[float, float]]]:
    """The marked point where two lines meet, and the ends of the lines."""
    points = [row for row in scene.all("circle") if row.box and row.box[2] < 12]
    ends = [row.centre for row in points if rgb(row.colour) != (0, 0, 255)]
    return next(row.centre for row in points if rgb(row.colour) == (0, 0, 255)), ends


def _right_angle(scene: Scene) -> Call:
    if scene.done:
        return click(scene.need("Submit", "button"))
    corner, ends = _corner(scene)
    return at(*_along(scene, corner, (-(ends[0][1] - corner[1]), ends[0][0] - corner[0])))


def _bisect(scene: Scene) -> Call:
    if scene.done:
        return click(scene.need("Submit", "button"))
    corner, ends = _corner(scene)
    units = [_unit((end[0] - corner[0], end[1] - corner[1])) for end in ends]
    x, y = _along(scene, corner, (units[0][0] + units[1][0], units[0][1] + units[1][1]))
    return at(x - _OFF, y - _OFF)


def _unit(way: tuple[float, float]) -> tuple[float, float]:
    length = math.hypot(*way) or 1.0
    return way[0] / length, way[1] / length


def _along(scene: Scene, start: tuple[float, float], way: tuple[float, float]) -> tuple[float, float]:
    """The point furthest that way (or the other, if that is shorter) that is still on the drawing."""
    unit = _unit(way)
    for distance in range(60, 5, -1):
        for sign in (1, -1):
            x, y = start[0] + sign * distance * unit[0], start[1] + sign * distance * unit[1]
            if 8 <= x <= 140 and 58 <= y <= 175:
                return x, y
    raise Stuck("there is no room")


def _drag_one(scene: Scene) -> Call:
    """A shape, some way."""
    if scene.done:
        return click(scene.need("Submit", "button"))
    way = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[scene.match(r"(left|right|up|down)")[1]]
    x, y = next(row for row in scene.rows if row.colour).centre
    return _pull((x, y), (x + 25 * way[0], y + 25 * way[1]))


def _pull(start: tuple[float, float], end: tuple[float, float]) -> Call:
    names = ("from_x", "from_y", "to_x", "to_y")
    return "mouse_drag_and_drop", dict(zip(names, (round(each, 1) for each in (*start, *end)), strict=True))


def _drag_shapes(scene: Scene) -> Call:
    words = scene.match(r"Drag all (.*?) into the")[1].split()
    boxes = [row for row in scene.all("rect") if row.box and row.box[2] > 40]
    for row in _shapes(scene):
        if row in boxes or not row.box:
            continue
        target = boxes[0] if _fits(row, words) else boxes[1] if len(boxes) > 1 else None
        if target is not None and not _inside(row, target):
            return _pull(row.centre, _room(scene, target, sum(_inside(other, target) for other in _shapes(scene))))
    return click(scene.need("Submit", "button"))


def _inside(row: Row, box: Row) -> bool:
    x, y, width, height = box.box or (0, 0, 0, 0)
    return row is not box and x < row.centre[0] < x + width and y < row.centre[1] < y + height


def _room(scene: Scene, box: Row, taken: int) -> tuple[float, float]:
    x, y, _, _ = box.box or (0, 0, 0, 0)
    return x + 12 + 18 * (taken % 3), y + 12 + 14 * (taken // 3)


def _line(scene: Scene) -> Call:
    if scene.done:
        return click(scene.need("Submit", "button"))
    x, y = scene.all("circle")[0].centre
    return _pull((x - 30, y), (x + 30, y)) if "horizontal" in scene.goal else _pull((x, y - 30), (x, y + 30))


def _slider(scene: Scene) -> Calls:
    wanted = int(scene.match(r"Select (-?\d+)")[1])
    handle = next(row for row in scene.rows if "clickable" in row.states)
    here = next(int(row.name) for row in scene.all("StaticText") if re.fullmatch(r"-?\d+", row.name))
    return _step(handle, here, wanted) or click(scene.need("Submit", "button"))


def _sliders(scene: Scene) -> Calls:
    wanted = [int(each) for each in scene.match(r"\[([\d,-]+)\]")[1].split(",")]
    handles = [row for row in scene.rows if "clickable" in row.states]
    here = [int(row.name) for row in scene.all("StaticText") if re.fullmatch(r"-?\d+", row.name)]
    for handle, now, then in zip(handles, here, wanted, strict=True):
        if step := _step(handle, now, then):
            return step
    return click(scene.need("Submit", "button"))


def _step(handle: Row, here: int, wanted: int) -> list[Call]:
    """Arrow keys, as many at once as a turn should hold."""
    key = "ArrowRight" if wanted > here else "ArrowLeft"
    return [("press", {"bid": handle.ref, "key_comb": key})] * min(abs(wanted - here), 20)


def _form_slider(scene: Scene) -> Calls:
    wanted, nth = int(scene.match(r"Select (-?\d+)")[1]), scene.ordinals[0]
    handle = next(row for row in scene.rows if "clickable" in row.states)
    here = next(int(row.name) for row in scene.all("StaticText") if re.fullmatch(r"-?\d+", row.name))
    if step := _step(handle, here, wanted):
        return step
    box = scene.all("checkbox")[nth - 1]
    return click(scene.need("Submit", "button") if "checked" in box.states else box)


def _add_blocks(scene: Scene) -> Call:
    number = sum(bool(row.colour) for row in scene.rows if row.role == "generic")
    field = scene.fields[0]
    return (
        click(scene.need("Submit", "button"))
        if field.value == str(number)
        else ("fill", {"bid": field.ref, "value": str(number)})
    )


SOLVERS: dict[str, Solver] = {
    "click-color": _colour,
    "click-shades": _shades,
    "click-shape": _shape,
    "count-shape": _count,
    "identify-shape": _identify,
    "ascending-numbers": _ascending,
    "grid-coordinate": _grid,
    "circle-center": _centre,
    "find-midpoint": _midpoint,
    "right-angle": _right_angle,
    "bisect-angle": _bisect,
    "drag-circle": _drag_one,
    "drag-single-shape": _drag_one,
    "drag-shapes": _drag_shapes,
    "drag-shapes-2": _drag_shapes,
    "draw-line": _line,
    "use-slider": _slider,
    "use-slider-2": _sliders,
    "form-sequence": _form_slider,
    "visual-addition": _add_blocks,
}
