"""Scripted policies of `web/shop-v0`: a shopper who goes through the pages as anyone would, knowing what to buy. Cheats are in `cheats`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from agentgym.envs.web.reading import Row, page_of
from agentgym.envs.web.shop.catalogue import catalogue
from agentgym.policy import Context, Scripted
from agentgym.types import Action, ToolCall

Call = tuple[str, dict[str, Any]]
_PAGE = re.compile(r"^Page: .* http://shop\.test(/\S*?)(?:, scrolled .*)?$", re.M)
_CART = re.compile(r"Cart \((\d+)\)")
_ENDS = ("send_msg_to_user", "report_infeasible")


@dataclass(slots=True, frozen=True)
class Wish:
    """So many pieces of a product, with these options."""

    product: str
    chosen: dict[str, str]
    count: int = 1


def say(context: Context, *calls: Call) -> Action:
    """One assistant message with these calls."""
    made = (ToolCall(f"call_{context.turn}_{n}", name, json.dumps(given)) for n, (name, given) in enumerate(calls))
    return Action(calls=tuple(made))


def place_of(context: Context) -> str:
    """The path of the page that was shown last."""
    for message in reversed(context.messages):
        if message.role in ("user", "tool") and (found := _PAGE.findall(message.text)):
            return str(found[-1])
    return "/"


def wish_of(context: Context) -> Wish:
    """What the task was drawn from; for privileged policies."""
    return Wish(context.task.secret["product"], context.task.secret["chosen"])


def oracle() -> Scripted:
    """Buys the product that the goal was drawn from."""
    return Scripted("oracle", lambda context: say(context, *shopping(context, [wish_of(context)])), privileged=True)


def noop() -> Scripted:
    """Waits until its turns are over."""
    return Scripted("noop", lambda context: say(context, ("noop", {"wait_ms": 1})))


def random_player() -> Scripted:
    """Clicks and types at random."""
    return Scripted("random", lambda context: say(context, _at_random(context)))


def shopping(context: Context, wishes: list[Wish]) -> list[Call]:
    """What to do next to have all of `wishes` ordered."""
    page, place = page_of(context), place_of(context)
    in_cart = next((int(found[1]) for row in page if (found := _CART.fullmatch(row.name))), 0)
    left = list(wishes)
    while left and in_cart >= max(left[0].count, 1):
        in_cart -= left.pop(0).count
    match place.partition("?")[0].split("/")[1]:
        case "checkout":
            return [_click(page, "button", "Place order")]
        case "cart" if not left:
            return [_click(page, "link", "Go to checkout")]
        case "item" if left and place.endswith(left[0].product):
            return _choose(page, left[0])
        case "search" if left:
            title = catalogue().products[left[0].product].title
            shown = any(row.role == "link" and row.name == title for row in page)
            return [_click(page, "link", title if shown else "Next page")]
        case _ if left:
            box = next(row for row in page if row.role == "searchbox")
            return [
                ("fill", {"bid": box.ref, "value": catalogue().products[left[0].product].title, "press_enter": True})
            ]
    return [_click(page, "link", "Cart", part=True)]


def _choose(page: list[Row], wish: Wish) -> list[Call]:
    """Check what is wished in each group of options, set the quantity, and add to the cart."""
    calls: list[Call] = []
    option = ""
    for row in page:
        if row.role in ("group", "Legend"):
            option = row.name.lower() or option
        if row.role == "radio" and wish.chosen.get(option) == row.name.partition(" (+")[0]:
            calls.append(("click", {"bid": row.ref}))
        if row.role == "spinbutton" and wish.count != 1:
            calls.append(("fill", {"bid": row.ref, "value": str(wish.count)}))
    return [*calls, _click(page, "button", "Add to cart")]


def _click(page: list[Row], role: str, name: str, part: bool = False) -> Call:
    for row in page:
        if row.role == role and (row.name == name or (part and row.name.startswith(name))):
            return "click", {"bid": row.ref}
    return "noop", {"wait_ms": 1}


def _at_random(context: Context) -> Call:
    rng, page = Random(context.seed), page_of(context)
    row = rng.choice([row for row in page if row.role in ("link", "button", "radio", "searchbox", "combobox")] or page)
    if row.role == "searchbox":
        words = context.messages[0].text.split()
        return "fill", {"bid": row.ref, "value": " ".join(rng.sample(words, 3)), "press_enter": True}
    if row.role == "combobox" and row.options:
        return "select_option", {"bid": row.ref, "options": rng.choice(row.options)}
    return "click", {"bid": row.ref}


def scripted(name: str, play: Callable[[Context], list[Call]]) -> Callable[[], Scripted]:
    """A privileged policy that says what `play` says, and that it has done it once that says nothing."""

    def act(context: Context) -> Action:
        return say(context, *(play(context) or [(_ENDS[0], {"text": "It is ordered: order number 1."})]))

    return lambda: Scripted(name, act, privileged=True)
