"""ScreenSpot, ScreenSpot-v2, ScreenSpot-Pro and GUI-RCPO's file, from the user's own copies, in one form; and the report that they are given in.

Three ways of writing boxes are in use: ScreenSpot [x, y, width, height] and ScreenSpot-Pro [x1, y1, x2, y2] in pixels, GUI-RCPO
[x1, y1, x2, y2] in shares of the picture. Here all are corners in pixels. Nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from agentgym.errors import TaskError
from agentgym.types import Trajectory

Form = Literal["screenspot", "pro", "rcpo"]
Verdict = Literal["correct", "wrong", "wrong_format"]
_PLATFORMS = ("desktop", "mobile", "web")


@dataclass(slots=True, frozen=True)
class Item:
    """`image`: below the folder of pictures.  box: corners in pixels, as in the file (not cut to the picture).  kind: "text" or "icon".

    platform: ScreenSpot's is in the name of its file, ScreenSpot-Pro's in its records.  source: `data_source`, or the application.
    """

    id: str
    image: str
    instruction: str
    box: tuple[float, float, float, float]
    kind: str
    platform: str
    source: str

    def digest(self, images: Path) -> str:
        """SHA-256 of the picture's file."""
        return hashlib.sha256((images / self.image).read_bytes()).hexdigest()

    def size(self, images: Path) -> tuple[int, int]:
        """Width and height of the picture."""
        return _read_size((images / self.image).resolve())


def load(files: Sequence[Path], images: Path, form: Form | None = None) -> list[Item]:
    """The items of some files (JSON lists, or JSONL), whose pictures are below `images`. `form` is told by the fields if it is not given.

    Raises TaskError, naming file and record, for what is missing or not as it should be: files, fields, pictures, boxes without
    area or off the picture, sizes that are not the picture's.
    """
    items = [_item(record, file, n, images, form) for file in files for n, record in enumerate(_records(file))]
    if twice := [id for id, count in Counter(each.id for each in items).items() if count > 1]:
        raise TaskError(f"two items are called {twice[0]!r}: load files that do not share records")
    return items


def report(items: Iterable[Item], verdicts: Mapping[str, Verdict]) -> dict[str, dict[str, float]]:
    """Accuracy by platform and kind, as ScreenSpot is reported: {"mobile": {"text": .., "icon": .., "all": .., "n": ..}, ..}.

    "average" has the mean over platforms of each column (SeeClick's "average" is that of text and icon together), "overall" that over
    items, with the share of "wrong_format".  Items without a verdict are wrong.
    """
    cells: dict[tuple[str, str], list[float]] = defaultdict(list)
    states: list[Verdict] = []
    for item in items:
        state = verdicts.get(item.id, "wrong")
        states.append(state)
        for platform in (item.platform, "overall"):
            for kind in (item.kind, "all"):
                cells[platform, kind].append(float(state == "correct"))
    table: dict[str, dict[str, float]] = defaultdict(dict)
    for (platform, kind), right in cells.items():
        table[platform][kind] = math.fsum(right) / len(right)
        if kind == "all":
            table[platform]["n"] = len(right)
    rows = [row for name, row in table.items() if name != "overall"]
    for kind in ("text", "icon"):
        if shares := [row[kind] for row in rows if kind in row]:
            table["average"][kind] = math.fsum(shares) / len(shares)
    if both := [table["average"][kind] for kind in ("text", "icon") if kind in table.get("average", {})]:
        table["average"]["all"] = math.fsum(both) / len(both)
    if states:
        table["overall"]["wrong_format"] = states.count("wrong_format") / len(states)
    return dict(table)


def verdicts_of(trajectories: Iterable[Trajectory]) -> dict[str, Verdict]:
    """ScreenSpot-Pro's three states, from scored episodes of `gui/grounding-v0`; of several of one task the first counts."""
    found: dict[str, Verdict] = {}
    for each in trajectories:
        if each.record is not None:
            values = {score.channel: score.value for score in each.scores}
            state: Verdict = (
                "correct" if values.get("correct") else "wrong_format" if values.get("wrong_format") else "wrong"
            )
            found.setdefault(each.key.task, state)
    return found


def _records(file: Path) -> list[Any]:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{file} can not be read: {error}") from None
    try:
        said = (
            [json.loads(line) for line in text.splitlines() if line.strip()]
            if file.suffix == ".jsonl"
            else json.loads(text)
        )
    except ValueError as error:
        raise TaskError(f"{file} is not {'JSONL' if file.suffix == '.jsonl' else 'JSON'}: {error}") from None
    if not isinstance(said, list) or not said:
        raise TaskError(f"{file} has no list of items")
    return said


def _item(record: Any, file: Path, n: int, images: Path, form: Form | None) -> Item:
    where = f"{file.name}, record {n}"
    if not isinstance(record, dict):
        raise TaskError(f"{where}: is no object")
    form = form or ("pro" if "img_size" in record else "rcpo" if "image" in record else "screenspot")
    image = _text(record, "image" if form == "rcpo" else "img_filename", where)
    kind = _text(record, "ui_type" if form == "pro" else "data_type", where)
    if kind not in ("text", "icon"):
        raise TaskError(f"{where}: its type is {kind!r}, not text or icon")
    size = _size(images, image, where)
    told = record.get("img_size", record.get("image_size"))
    if told is not None and list(told if isinstance(told, (list, tuple)) else [told]) != list(size):
        raise TaskError(f"{where}: says that {image} is {told}, and the picture is {list(size)}: the box would be off")
    box = _box(record.get("bbox"), form, size, where)
    platform = str(record.get("platform") or _platform(file))
    source = str(record.get("application") or record.get("data_source") or "")
    id = str(record.get("id") or f"{file.stem}-{n}")
    return Item(id, image, _text(record, "instruction", where), box, kind, platform, source)


def _box(said: Any, form: Form, size: tuple[int, int], where: str) -> tuple[float, float, float, float]:
    """Corners in pixels."""
    numbers = isinstance(said, (list, tuple)) and all(
        type(each) in (int, float) and math.isfinite(each) for each in said
    )
    if not numbers or len(said) != 4:
        raise TaskError(f"{where}: its bbox has to be four finite numbers, and is {said!r}")
    a, b, c, d = (float(each) for each in said)
    if form == "screenspot":
        box = (a, b, a + c, b + d)
    elif form == "pro":
        box = (a, b, c, d)
    else:
        if max(a, b, c, d) > 1.5:
            raise TaskError(f"{where}: its bbox {said} is to be in shares of the picture, 0 to 1")
        box = (a * size[0], b * size[1], c * size[0], d * size[1])
    if box[0] >= box[2] or box[1] >= box[3]:
        raise TaskError(f"{where}: its bbox {said} has no area when it is read as {_SAID[form]}")
    if box[0] >= size[0] or box[1] >= size[1] or box[2] <= 0 or box[3] <= 0:
        raise TaskError(
            f"{where}: its bbox {said}, read as {_SAID[form]}, is off the picture, which is {size[0]} x {size[1]}"
        )
    return box


_SAID = {"screenspot": "[x, y, width, height]", "pro": "[x1, y1, x2, y2]", "rcpo": "[x1, y1, x2, y2] in shares"}


def _text(record: dict[str, Any], name: str, where: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        raise TaskError(f"{where}: has no {name!r}; its fields are {', '.join(map(str, list(record)[:12]))}")
    return value


def _platform(file: Path) -> str:
    return next((each for each in _PLATFORMS if re.search(each, file.stem)), file.stem)


def _size(images: Path, image: str, where: str) -> tuple[int, int]:
    path = (images / image).resolve()
    if not path.is_relative_to(images.resolve()):
        raise TaskError(f"{where}: {image!r} leads out of the folder of pictures")
    if not path.is_file():
        raise TaskError(f"{where}: there is no picture {path}: is `images` the folder that {image!r} is in?")
    try:
        return _read_size(path)
    except Exception as error:  # Pillow raises many kinds
        raise TaskError(f"{where}: {path} is no picture: {error}") from None


@lru_cache(maxsize=4_096)
def _read_size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size
