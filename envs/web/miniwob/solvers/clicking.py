"""Pages that take clicks on what is written: buttons, links, boxes, tabs, sections, menus, trees."""

from __future__ import annotations

import re

from agentgym.envs.web.miniwob.solvers.scene import WAIT, Call, Scene, Solver, Stuck, click
from agentgym.envs.web.reading import Row


def _named(scene: Scene) -> Call:
    return click(scene.need(scene.quoted[0], "button", "generic", "link", "StaticText"))


def _numbered(scene: Scene) -> Call:
    return click(scene.need(scene.match(r"button (ONE|TWO)")[1], "button"))


def _one_then_two(scene: Scene) -> Call:
    if not scene.done:
        return click(scene.need("ONE", "button"))
    if "wait" in scene.goal and scene.done[-1][0] != "noop":
        return "noop", {"wait_ms": 1000 * int(scene.match(r"wait (\d+)")[1]) - 500}  # the click took as long
    return click(scene.need("TWO", "button"))


def _only(scene: Scene) -> Call:
    return click(scene.need(None, "button"))


def _focus(scene: Scene) -> Call:
    return click(scene.fields[scene.ordinals[0] - 1 if scene.ordinals else 0])


def _dialog(scene: Scene) -> Call:
    name = scene.quoted[0] if scene.quoted else "x"
    return click(scene.need("Close" if name == "x" else name, "button"))


def _option(scene: Scene) -> Call:
    wanted = scene.need(scene.match(r"Select (.*) and click")[1], "radio")
    return click(scene.need("Submit", "button") if "checked" in wanted.states else wanted)


def _checkboxes(scene: Scene) -> Call:
    names = scene.match(r"Select (.*) and click")[1]
    return check_only(scene, [] if names == "nothing" else names.split(", "))


def check_only(scene: Scene, names: list[str]) -> Call:
    """See that just these boxes are checked, then submit."""
    for row in scene.all("checkbox"):
        if (row.name in names) != ("checked" in row.states):
            return click(row)
    return click(scene.need("Submit", "button"))


_MEANINGS = (
    "big large huge enormous gigantic / small tiny little mini petite / red scarlet crimson vermillion / happy cheerful joyful "
    "gleeful delighted / sad unhappy sorrowful miserable tragic / angry mad furious irritated / evil wicked immoral sinful "
    "corrupt depraved / wrong incorrect mistaken erroneous / real genuine actual / strange odd peculiar unusual weird / stop "
    "cease halt end finish / scared terrified panicked fearful frightened afraid / quiet calm peaceful serene mild / old aged "
    "archaic / love like adore favor / kill murder assassinate / keep retain preserve sustain maintain / hide conceal "
    "camouflage / hate despise loathe detest dislike / funny humorous amusing comical laughable / fat fleshy plump chubby / "
    "stupid dumb dull unwise / delicious savory delectable appetizing / cut slice carve chop / brave courageous fearless / "
    "begin start initiate launch / answer reply response / television televisions TV TVs / house home houses homes / fire "
    "flame fires flames / pig pork swine / rabbit rabbits bunny bunnies / car cars automobile automobiles vehicle vehicles"
)


def _similar(scene: Scene) -> Call:
    given = [word.strip() for word in scene.match(r"similar to (.*) and click")[1].split(",")]
    groups = [set(group.split()) for group in _MEANINGS.split(" / ")]
    meant = set(given).union(*(group for group in groups if group & set(given)))
    return check_only(scene, [row.name for row in scene.all("checkbox") if row.name in meant])


def _tab(scene: Scene) -> Call:
    return click(scene.need(scene.match(r"Click on (Tab #\d)")[1], "link"))


def _link_in_tabs(scene: Scene) -> Call:
    """Look into one tab after the other."""
    inside = _after(scene, "tabpanel")
    if found := next((row for row in inside if row.name == scene.quoted[0]), None):
        return click(found)
    return click(_next(scene, scene.all("link")))


def _section(scene: Scene) -> Call:
    button = scene.find("Submit", "button")
    head = scene.all("tab")[0]
    if "collapsed" in head.states or button is None:
        return click(head) if scene.count("click") < 1 else WAIT
    return click(button)


def _link_in_sections(scene: Scene) -> Call:
    if found := scene.find(scene.quoted[0], "generic"):
        return click(found)
    return click(_next(scene, [row for row in scene.all("tab") if row.name.startswith("Section")]))


def _next(scene: Scene, rows: list[Row]) -> Row:
    """The first of `rows` that was not clicked yet."""
    clicked = {call[1].get("bid") for call in scene.done}
    for row in rows:
        if row.ref not in clicked:
            return row
    raise Stuck("all was looked at")


def _after(scene: Scene, role: str) -> list[Row]:
    at = next((n for n, row in enumerate(scene.rows) if row.role == role), len(scene.rows))
    return scene.rows[at:]


def _menu_path(scene: Scene) -> Call:
    """Open one level after the other, and click the last."""
    path = scene.match(r"Select (.*)")[1].split(">")
    for name in reversed(path):
        if row := scene.find(name, "menuitem"):
            return click(row) if name == path[-1] else ("hover", {"bid": row.ref})
    raise Stuck("the menu has nothing of it")


def _scroll_list(scene: Scene) -> Call:
    names = scene.match(r"Select (.*) from the scroll list")[1].split(", ")
    box = scene.all("listbox")[0]
    if all("selected" in scene.need(name, "option").states for name in names):
        return click(scene.need("Submit", "button"))
    return "select_option", {"bid": box.ref, "options": names}


def _choose(scene: Scene) -> Call:
    name = scene.match(r"Select (.*) from the list")[1]
    box = scene.all("combobox")[0]
    if box.value == name:
        return click(scene.need("Submit", "button"))
    return "select_option", {"bid": box.ref, "options": name}


def _drop_down(scene: Scene) -> Call:
    wanted, button = scene.match(r"Choose (.*) from the dropdown")[1], scene.quoted[0]
    box = scene.all("combobox")[0]
    if box.value == wanted:
        return click(scene.need(button, "button"))
    if option := scene.find(wanted, "listitem"):
        return click(option)
    return click(next(row for row in scene.rows if "clickable" in row.states))


def _cheapest(scene: Scene) -> Call:
    """The ticket with the least cost or duration."""
    offers, minutes = [], 0
    for row in scene.rows:
        if time := re.fullmatch(r"(?:(\d+)h)? ?(?:(\d+)m)?", row.name) if row.name else None:
            minutes = 60 * int(time[1] or 0) + int(time[2] or 0)
        elif price := re.fullmatch(r"Book for \$(\d+)", row.name):
            offers.append((int(price[1]), minutes, row))
    best = max if re.search("longest|most expensive", scene.goal) else min
    by_time = "duration" in scene.goal
    return click(best(offers, key=lambda offer: offer[1] if by_time else offer[0])[2])


def _odd_or_even(scene: Scene) -> Call:
    numbers = [row for row in scene.rows if row.role == "StaticText" and re.fullmatch(r"-?\d+", row.name)]
    if len(scene.done) == len(numbers):
        return click(scene.need("Submit", "button"))
    name = "Odd" if int(numbers[len(scene.done)].name) % 2 else "Even"
    return click(scene.all("button")[2 * len(scene.done) + (name == "Even")])


def _greatest(scene: Scene) -> Call:
    cards = [row for row in scene.rows if row.role in ("generic", "StaticText") and row.name.isdigit()]
    best = max(cards, key=lambda row: int(row.name))
    return click(scene.need("Submit", "button") if scene.done else best)


def _agreement(scene: Scene) -> Call:
    if "cancel button" in scene.goal.lower() and "scroll" not in scene.goal.lower():
        return click(scene.need("Cancel", "button"))
    name = scene.find("Name", "textbox")
    wanted = next(iter(scene.quoted), "")
    if name is None or "disabled" in name.states:
        text = scene.all("textbox")[0]
        return ("scroll", {"delta_x": 0, "delta_y": 10_000}) if scene.done else ("hover", {"bid": text.ref})
    if name.value != wanted:
        return "fill", {"bid": name.ref, "value": wanted}
    return click(scene.need("Agree" if "agree" in scene.goal.lower().partition("press")[2] else "Cancel", "button"))


SOLVERS: dict[str, Solver] = {
    "click-test": _only,
    "click-test-2": _numbered,
    "click-test-transfer": _numbered,
    "click-button": _named,
    "unicode-test": _named,
    "click-link": _named,
    "focus-text": _focus,
    "focus-text-2": _focus,
    "click-dialog": _dialog,
    "click-dialog-2": _dialog,
    "click-option": _option,
    "choose-list": _choose,
    "click-button-sequence": _one_then_two,
    "button-delay": _one_then_two,
    "click-checkboxes": _checkboxes,
    "click-checkboxes-transfer": _checkboxes,
    "click-checkboxes-large": _checkboxes,
    "click-checkboxes-soft": _similar,
    "click-scroll-list": _scroll_list,
    "form-sequence-3": _drop_down,
    "click-tab": _tab,
    "click-tab-2-easy": _link_in_tabs,
    "click-tab-2-medium": _link_in_tabs,
    "click-tab-2-hard": _link_in_tabs,
    "click-tab-2": _link_in_tabs,
    "click-collapsible": _section,
    "click-collapsible-nodelay": _section,
    "click-collapsible-2": _link_in_sections,
    "click-collapsible-2-nodelay": _link_in_sections,
    "click-menu": _menu_path,
    "buy-ticket": _cheapest,
    "odd-or-even": _odd_or_even,
    "find-greatest": _greatest,
    "sign-agreement": _agreement,
}
