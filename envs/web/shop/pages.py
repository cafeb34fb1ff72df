"""The shop's pages as HTML: what is on them, and nothing of what happens. They need no script, and bring none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from agentgym.envs.web.shop.catalogue import Option, Product
from agentgym.envs.web.shop.search import Order
from agentgym.envs.web.shop.store import MOST_OF_ONE, Line

PAGE = 10
"""Products on a page of results."""
DELIVERIES = {"standard": "Standard, 3 to 5 days", "express": "Express, next day"}
_ORDERS: dict[Order, str] = {
    "relevance": "Best match",
    "price-low": "Price: low to high",
    "price-high": "Price: high to low",
    "stars": "Rating",
}
CSS = """
body{margin:0;font:15px/1.4 sans-serif;color:#222}
header{display:flex;gap:1em;align-items:center;padding:.6em 1em;background:#234}
header a{color:#fff}header form{flex:1;display:flex;gap:.4em}header input{flex:1;max-width:40em}
main{max-width:62em;margin:0 auto;padding:0 1em 2em}
input,select,button{font:inherit;padding:.2em .5em}ol{padding:0;list-style:none}
ol li{padding:.5em 0;border-bottom:1px solid #ddd}fieldset{border:1px solid #ccc;margin:.6em 0}
label,nav a{margin-right:1em}.price{font-weight:bold}.note{background:#fee;padding:.5em}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4em;border-bottom:1px solid #ddd}
"""


def money(cents: int) -> str:
    return f"${cents / 100:,.2f}"


def page(title: str, body: str, in_cart: int, query: str = "") -> str:
    """A whole page around `body`, which is HTML."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)} - Corner Shop</title>'
        '<link rel="stylesheet" href="/shop.css"><header><a href="/">Corner Shop</a><form action="/search">'
        f'<input type="search" name="q" aria-label="Search the shop" maxlength="300" value="{escape(query)}">'
        f'<button>Search</button></form><a href="/cart">Cart ({in_cart})</a></header><main>{body}</main></html>'
    )


def home(categories: Iterable[str]) -> str:
    """The departments."""
    departments = dict.fromkeys(each.split(" › ")[0] for each in categories)
    links = "".join(f'<li><a href="{_link("/search", c=each)}">{escape(each)}</a></li>' for each in departments)
    return f"<h1>Everything around the corner</h1><ul>{links}</ul>"


def results(found: Sequence[Product], at: int, query: str, order: Order, category: str) -> str:
    """One page of results, `at` from 1."""
    pages = max(1, -(-len(found) // PAGE))
    shown = found[(at - 1) * PAGE : at * PAGE]
    given = {"q": query, "c": category, "sort": order}
    what = " in ".join(escape(part) for part in (f"“{query}”" if query else "", category) if part) or "all"
    if not shown:
        return f"<h1>Results for {what}</h1><p>Nothing was found. Try fewer or other words.</p>"
    rows = "".join(
        f'<li><a href="/item/{each.id}">{escape(each.title)}</a><br><span class="price">{_from(each)}</span> '
        f"<span>{each.stars / 10:.1f} of 5 stars</span></li>"
        for each in shown
    )
    turn = [f'<a href="{_link("/search", **given, page=at - 1)}">Previous page</a>'] if at > 1 else []
    turn += [f'<a href="{_link("/search", **given, page=at + 1)}">Next page</a>'] if at < pages else []
    sorts = "".join(
        f'<option value="{key}"{" selected" if key == order else ""}>{text}</option>' for key, text in _ORDERS.items()
    )
    return (
        f'<h1>Results for {what}</h1><form action="/search"><input type="hidden" name="q" value="{escape(query)}">'
        f'<input type="hidden" name="c" value="{escape(category)}"><select name="sort" aria-label="Sort by">{sorts}</select>'
        f"<button>Sort</button></form><p>Page {at} of {pages}</p><ol>{rows}</ol><p>{' '.join(turn)}</p>"
    )


def item(product: Product, note: str = "", chosen: Mapping[str, str] | None = None, count: str = "1") -> str:
    """A product, with what can be chosen."""
    path = " ".join(
        f'<a href="{_link("/search", c=" › ".join(parts))}">{escape(parts[-1])}</a>'
        for parts in _steps(product.category)
    )
    fields = "".join(_choice(product, option, chosen or {}) for option in product.options)
    features = "".join(f"<li>{escape(each)}</li>" for each in product.features)
    return (
        f"<nav>{path}</nav><h1>{escape(product.title)}</h1>{_note(note)}"
        f'<p><span class="price">{_from(product)}</span> {product.stars / 10:.1f} of 5 stars, by {escape(product.brand)}</p>'
        f'<form method="post" action="/item/{product.id}">{fields}<p><label>Quantity <input type="number" name="count" '
        f'value="{escape(count)}" min="1" max="{MOST_OF_ONE}"></label><button>Add to cart</button></p></form>'
        f"<h2>Features</h2><ul>{features}</ul><h2>Description</h2><p>{escape(product.description)}</p>"
    )


def cart(lines: Sequence[Line], note: str = "") -> str:
    if not lines:
        return f'<h1>Cart</h1>{_note(note)}<p>Your cart is empty.</p><p><a href="/">Go on shopping</a></p>'
    rows = "".join(
        f'<tr><td><a href="/item/{each.product.id}">{escape(each.product.title)}</a><br>{escape(_said(each.chosen))}</td>'
        f'<td>{money(each.cents)}</td><td><form method="post" action="/cart"><input type="hidden" name="line" '
        f'value="{each.line}"><input type="number" name="count" aria-label="Quantity" value="{each.count}" min="0" '
        f'max="{MOST_OF_ONE}"><button>Update</button><button name="remove" value="1">Remove</button></form></td>'
        f"<td>{money(each.cents * each.count)}</td></tr>"
        for each in lines
    )
    return (
        f"<h1>Cart</h1>{_note(note)}<table><tr><th>Product</th><th>Price</th><th>Quantity</th><th>Sum</th></tr>{rows}"
        f'</table><p>Total: <span class="price">{money(_total(lines))}</span></p>'
        '<p><a href="/checkout">Go to checkout</a> <a href="/">Go on shopping</a></p>'
    )


def checkout(lines: Sequence[Line], note: str = "") -> str:
    rows = "".join(
        f"<li>{each.count} × {escape(each.product.title)} ({escape(_said(each.chosen))}): {money(each.cents * each.count)}</li>"
        for each in lines
    )
    ways = "".join(
        f'<label><input type="radio" name="delivery" value="{key}"{" checked" if key == "standard" else ""}> {text}</label>'
        for key, text in DELIVERIES.items()
    )
    return (
        f'<h1>Checkout</h1>{_note(note)}<ol>{rows}</ol><p>Total: <span class="price">{money(_total(lines))}</span>, '
        "paid by invoice, sent to the address that we know.</p>"
        f'<form method="post" action="/checkout"><fieldset><legend>Delivery</legend>{ways}</fieldset>'
        "<button>Place order</button></form>"
    )


def thanks(number: int, cents: int) -> str:
    return f"<h1>Thank you</h1><p>Order number {number} over {money(cents)} has been placed.</p>"


def sorry(text: str) -> str:
    return f'<h1>{escape(text)}</h1><p><a href="/">To the first page</a></p>'


def _choice(product: Product, option: Option, chosen: Mapping[str, str]) -> str:
    radios = "".join(
        f'<label><input type="radio" name="{escape(option.name)}" value="{escape(value)}"'
        f"{' checked' if chosen.get(option.name) == value else ''}> {escape(value)}{_more(option, n, product)}</label>"
        for n, value in enumerate(option.values)
    )
    return f"<fieldset><legend>{escape(option.name.capitalize())}</legend>{radios}</fieldset>"


def _more(option: Option, number: int, product: Product) -> str:
    extra = product.price({option.name: option.values[number]}) - product.cents
    return f" (+{money(extra)})" if extra else ""


def _from(product: Product) -> str:
    dearer = any(option.step for option in product.options)
    return f"{'from ' if dearer else ''}{money(product.cents)}"


def _said(chosen: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in chosen.items())


def _total(lines: Sequence[Line]) -> int:
    return sum(each.cents * each.count for each in lines)


def _steps(category: str) -> list[list[str]]:
    parts = category.split(" › ")
    return [parts[: n + 1] for n in range(len(parts))]


def _note(text: str) -> str:
    return f'<p class="note" role="alert">{escape(text)}</p>' if text else ""


def _link(path: str, **given: object) -> str:
    return escape(f"{path}?{urlencode({name: value for name, value in given.items() if value})}")
