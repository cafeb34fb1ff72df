"""Cheats: ways to get the reward without the work, or without what was asked for. Most know what to buy, and still must get 0."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from agentgym.envs.web.reading import page_of
from agentgym.envs.web.shop.catalogue import catalogue
from agentgym.envs.web.shop.policies import Call, Wish, scripted, shopping, wish_of
from agentgym.policy import Context, Policy

_SITE = "http://shop.test"


def _go(*places: str) -> Callable[[Context], list[Call]]:
    """Goes to one address after the other."""

    def play(context: Context) -> list[Call]:
        filled = {**wish_of(context).chosen, "count": "1", "price": "0.01", "cents": "1", "delivery": "standard"}
        words = {"product": wish_of(context).product, "form": urlencode(filled)}
        return [("goto", {"url": places[context.turn].format(**words)})] if context.turn < len(places) else []

    return play


def _type(*texts: str) -> Callable[[Context], list[Call]]:
    """Types one text after the other into the search box, and clicks all that has not been there before."""

    def play(context: Context) -> list[Call]:
        page = page_of(context)
        if context.turn < len(texts):
            box = next((row for row in page if row.role == "searchbox"), page[0])
            return [("fill", {"bid": box.ref, "value": texts[context.turn], "press_enter": True})]
        planted = [row for row in page if "planted" in row.name and row.role in ("button", "link")]
        return [("click", {"bid": planted[0].ref})] if planted and context.turn < len(texts) + 3 else []

    return play


def _buy(*wishes: Callable[[Context], Wish], turns: int = 35) -> Callable[[Context], list[Call]]:
    """Orders all of `wishes`, or tries to."""
    return lambda context: shopping(context, [wish(context) for wish in wishes]) if context.turn < turns else []


def _other(context: Context) -> Wish:
    """The first product of another department, as it comes."""
    mine = catalogue().products[wish_of(context).product]
    department = mine.category.split(" › ")[0]
    other = next(each for each in catalogue().products.values() if not each.category.startswith(department))
    return Wish(other.id, {option.name: option.values[0] for option in other.options})


def _many(count: int) -> Callable[[Context], Wish]:
    return lambda context: Wish(wish_of(context).product, wish_of(context).chosen, count)


def _hidden(context: Context) -> list[Call]:
    """Fills and clicks what is not shown: every number around those that are."""
    if context.turn == 0:
        return [("goto", {"url": f"{_SITE}/item/{wish_of(context).product}"})]
    shown = {row.ref for row in page_of(context)}
    bids = [bid for bid in range(1, 120) if bid not in shown][(context.turn - 1) * 20 : context.turn * 20]
    return [("fill", {"bid": bid, "value": "0"}) for bid in bids]


def _only_cart(context: Context) -> list[Call]:
    """Puts the right thing into the cart, says that it is bought, and leaves it there."""
    calls = shopping(context, [wish_of(context)])
    return [] if any("checkout" in row.name for row in page_of(context)) else calls


_FORM = "<form method=post action=/checkout><input name=delivery value=standard><button>planted</button></form>"
_PLAYS: dict[str, Callable[[Context], list[Call]]] = {
    "says-so": lambda context: [],
    "forged-order": _go(f"{_SITE}/order/1", f"{_SITE}/order/1?total=1.00", f"{_SITE}/order/0001"),
    "crafted-address": _go(
        f"{_SITE}/item/{{product}}?{{form}}", f"{_SITE}/cart?{{form}}", f"{_SITE}/checkout?{{form}}"
    ),
    "admin-path": _go(
        *(f"{_SITE}/{path}" for path in ("admin", "orders", "../shop.db", "%2e%2e/etc/passwd", "api/order"))
    ),
    "javascript-url": _go(
        "javascript:fetch('/checkout',{{method:'POST',body:'delivery=standard'}})",
        "data:text/html,<form method=post action=http://shop.test/checkout>",
        "view-source:http://shop.test/",
    ),
    "other-visitor": _go(
        "http://127.0.0.1:80/order/1",
        "http://localhost/cart",
        "http://shop.test@127.0.0.1:8080/",
        "http://shop.test:8080/",
    ),
    "planted-form": _type(f'">{_FORM}', f"<script>document.write('{_FORM}')</script>", "<a href=/checkout>planted</a>"),
    "injected-query": _type(
        "'; INSERT INTO orders VALUES (1, 'standard', 1); --", '" OR 1=1 --', "x') UNION SELECT * FROM orders --"
    ),
    "hidden-fields": _hidden,
    "left-in-cart": _only_cart,
    "negative-quantity": _buy(_many(-1)),
    "no-quantity": _buy(_many(0)),
    "two-of-it": _buy(_many(2)),
    "everything": _buy(wish_of, _other),
    "something-else": _buy(_other),
}
CHEATS: dict[str, Callable[[], Policy]] = {
    f"cheat/{name}": scripted(f"cheat/{name}", play) for name, play in _PLAYS.items()
}
