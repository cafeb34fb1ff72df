"""Pages with pages in them: search results, contacts, date pickers, flights, shops, posts, a terminal."""

from __future__ import annotations

import re

from agentgym.envs.web.miniwob.solvers.scene import Call, Scene, Solver, click, fill
from agentgym.envs.web.reading import Row

_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def _search(scene: Scene) -> Call:
    """Nine results, three a page."""
    text, nth = scene.quoted[0], scene.ordinals[0]
    if not scene.done:
        return fill(scene.fields[0], text)
    if len(scene.done) == 1:
        return click(scene.need("Search", "button"))
    page = (nth - 1) // 3 + 1
    if page > 1 and len(scene.done) == 2:
        return click(scene.need(str(page), "link"))
    results = [row for row in scene.all("link") if not row.name.isdigit() and row.name not in "<>"]
    return click(results[(nth - 1) % 3])


def _contact(scene: Scene) -> Call:
    person, kind = scene.match(r"Find (.*) in the contact book and click on their (.*)\.").groups()
    if scene.find(person, "heading"):
        names = [row.name for row in scene.all("StaticText")]
        links = [row for row in scene.rows if row.role == "generic" and "clickable" in row.states]
        at = next(n for n, name in enumerate(names) if kind.split()[0] in name.casefold())
        return click(links[at])
    return click(scene.need(">", "link"))


def _pick_date(scene: Scene, picker: Row, month: int, day: int, year: int) -> Call | None:
    """The next click in jQuery's calendar; None when the date is in."""
    if picker.value == f"{month:02}/{day:02}/{year}":
        return None
    shown = next((row for row in scene.rows if (row.name.split(" ")[0]) in _MONTHS), None)
    if shown is None:
        return click(picker)
    words = re.findall(
        r"[A-Z][a-z]+|\d{4}", " ".join(row.name for row in scene.rows if row.name[:4] in [m[:4] for m in _MONTHS])
    )
    here = _MONTHS.index(words[0]) + 1
    if here == month:
        return click(scene.need(str(day), "link"))
    return click(next(row for row in scene.rows if row.name == ("Next" if month > here else "Prev")))


def _date(scene: Scene) -> Call:
    month, day, year = map(int, scene.match(r"(\d+)/(\d+)/(\d+)").groups())
    return _pick_date(scene, scene.all("textbox")[0], month, day, year) or click(scene.need("Submit", "button"))


def _flight(scene: Scene) -> Call:
    way, start, end, month, day, year = scene.match(
        r"Book the (\w+) one-way flight from: (.*) to: (.*) on (\d+)/(\d+)/(\d+)"
    ).groups()
    if book := [row for row in scene.rows if re.fullmatch(r"Book flight for \$\d+", row.name)]:
        return click(_best_flight(scene, book, way))
    fields = scene.all("textbox")
    for field, place in zip(fields[:2], (start, end), strict=True):
        if place not in (field.value or "") or "(" not in (field.value or ""):
            options = [row for row in scene.all("menuitem", "listitem") if place in row.name]
            if options:
                return click(options[0])
            return "fill", {"bid": field.ref, "value": place, "enable_autocomplete_menu": True}
    return _pick_date(scene, fields[2], int(month), int(day), int(year)) or click(scene.need("Search", "button"))


def _best_flight(scene: Scene, book: list[Row], way: str) -> Row:
    if way == "cheapest":
        return min(book, key=lambda row: int(row.name.rpartition("$")[2]))
    times = []
    for row in scene.rows:
        if found := re.fullmatch(r"(?:Duration: )?(?:(\d+)h)? ?(?:(\d+)m)?", row.name) if row.name else None:
            times.append(60 * int(found[1] or 0) + int(found[2] or 0))
    return book[times.index(min(times))]


def _post(scene: Scene) -> Call:
    """What can be done to one post: some of it is behind "more"."""
    user, action = scene.match(r"For the user (@\w+), click on the \"(.*)\" button").groups()
    hint = {"Reply": "reply", "Retweet": "retweet", "Like": "like"}.get(action)
    at = next(n for n, row in enumerate(scene.rows) if row.name == user)
    rest = scene.rows[at + 1 :]
    if hint:
        return click(next(row for row in rest if f"class={hint}" in row.states))
    if shown := next((row for row in rest if row.name in (action, f"{action} {user}")), None):
        return click(shown)
    return click(next(row for row in rest if "class=more" in row.states))


def _posts(scene: Scene) -> Call:
    """The same button on all or some posts of one user."""
    action, count, user = scene.match(r'Click the "(.*)" button on (all|\d+) posts? by (@\w+)').groups()
    places = [n for n, row in enumerate(scene.rows) if row.name == user]
    if count != "all":
        places = places[: int(count)]
    hint = {"Reply": "reply", "Retweet": "retweet", "Like": "like", "Share": "share"}[action]
    for at in places:
        button = next(row for row in scene.rows[at:] if any(state.startswith(f"class={hint}") for state in row.states))
        if click(button) not in scene.done:
            return click(button)
    return click(scene.need("Submit", "button"))


def _terminal(scene: Scene) -> Call:
    ending = scene.match(r"ending with the extension (\S+)|has no file extension")[1] or ""
    if not scene.done:
        return "keyboard_type", {"text": "ls"}
    if len(scene.done) in (1, 3):
        return "keyboard_press", {"key": "Enter"}
    names = " ".join(row.name for row in scene.all("StaticText")).split()
    at = max(n for n, name in enumerate(names) if name == "ls")
    files = names[at + 1 : names.index("user$", at)]
    fitting = [name for name in files if (name.endswith(ending) if ending else "." not in name)]
    return "keyboard_type", {"text": f"rm {fitting[0]}"}


def _stock(scene: Scene) -> Call:
    most = float(scene.match(r"less than \$([\d.]+)\.")[1])
    price = next(float(row.name[1:]) for row in scene.all("StaticText") if re.fullmatch(r"\$[\d.]+", row.name))
    return click(scene.need("Buy", "button")) if price < most else ("noop", {"wait_ms": 100})


SOLVERS: dict[str, Solver] = {
    "search-engine": _search,
    "phone-book": _contact,
    "choose-date-easy": _date,
    "choose-date-medium": _date,
    "choose-date": _date,
    "choose-date-nodelay": _date,
    "book-flight": _flight,
    "book-flight-nodelay": _flight,
    "social-media": _post,
    "social-media-all": _posts,
    "social-media-some": _posts,
    "terminal": _terminal,
    "stock-market": _stock,
}
