"""ShopSite: the shop as one visitor has it, served on a port of its own. What is sold is shared by all, and read-only.

Only POST changes anything, and a form says which product, which options and how many: never a price. There is nothing to
log in to, no number of anyone else's, and no way to what is behind the shop.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from agentgym.envs.web.http import Request, Response, Server, see_other
from agentgym.envs.web.shop import pages
from agentgym.envs.web.shop.catalogue import Catalogue
from agentgym.envs.web.shop.search import Index, Order
from agentgym.envs.web.shop.store import Refused, Store
from agentgym.envs.web.site.site import Site

ORDERED = "ordered"
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
    "Cache-Control": "no-store",
}


class ShopSite(Site):
    """`store` is the visitor's; the server knows nobody else."""

    def __init__(self, catalogue: Catalogue, index: Index) -> None:
        self.store = Store(catalogue)
        self._catalogue, self._index = catalogue, index
        self._server: Server | None = None

    @classmethod
    async def open(cls, catalogue: Catalogue, index: Index) -> ShopSite:
        site = cls(catalogue, index)
        site._server = await Server.open(site.answer)
        site.origin = site._server.origin
        return site

    async def facts(self) -> dict[str, str]:
        cart = [[line.product.id, line.chosen, line.count] for line in self.store.cart()]
        return {"orders": json.dumps(self.store.orders()), "cart": json.dumps(cart)}

    def done(self) -> str | None:
        return ORDERED if self.store.orders() else None

    async def close(self) -> None:
        if self._server is not None:
            await self._server.close()
            self._server = None
            self.store.close()

    # ---- pages ----------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Whatever is asked for, or what is wrong with it."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", [""]:
                return self._page("Welcome", pages.home(self._catalogue.categories))
            case "GET", ["shop.css"]:
                return Response(pages.CSS, kind="text/css", headers={"Cache-Control": "max-age=86400"})
            case "GET", ["search"]:
                return self._search(request)
            case "GET" | "POST", ["item", id] if id in self._catalogue.products:
                return self._item(request, id)
            case "GET" | "POST", ["cart"]:
                return self._cart(request)
            case "GET" | "POST", ["checkout"]:
                return self._checkout(request)
            case "GET", ["order", number]:
                return self._order(number)
            case "GET" | "POST", _:
                return self._page("Not found", pages.sorry("There is no such page."), 404)
        return self._page("Not possible", pages.sorry("That can not be done here."), 405)

    def _search(self, request: Request) -> Response:
        query, category = request.query.get("q", "")[:300].strip(), request.query.get("c", "")[:100]
        order: Order = "relevance"
        match request.query.get("sort"):
            case "price-low" | "price-high" | "stars" as chosen:
                order = chosen
        products = self._catalogue.products
        found = [products[id] for id in self._index.find(query, order, category)]
        last = max(1, -(-len(found) // pages.PAGE))
        at = min(_number(request.query.get("page", "1"), 1), last)
        return self._page("Results", pages.results(found, max(at, 1), query, order, category), query=query)

    def _item(self, request: Request, id: str) -> Response:
        product = self._catalogue.products[id]
        if request.method == "GET":
            return self._page(product.title, pages.item(product))
        count = request.form.get("count", "")
        try:
            self.store.add(product, dict(request.form), _number(count, -1))
            return see_other("/cart")
        except Refused as refusal:
            return self._page(product.title, pages.item(product, str(refusal), request.form, count[:10]))

    def _cart(self, request: Request) -> Response:
        note = ""
        if request.method == "POST":
            count = 0 if "remove" in request.form else _number(request.form.get("count", ""), -1)
            try:
                self.store.change(_number(request.form.get("line", ""), -1), count)
                return see_other("/cart")
            except Refused as refusal:
                note = str(refusal)
        return self._page("Cart", pages.cart(self.store.cart(), note))

    def _checkout(self, request: Request) -> Response:
        try:
            if request.method == "POST":
                delivery = request.form.get("delivery", "")
                if delivery not in pages.DELIVERIES:
                    raise Refused("Please choose a delivery first.")
                return see_other(f"/order/{quote(str(self.store.order(delivery)))}")
            note = ""
        except Refused as refusal:
            note = str(refusal)
        lines = self.store.cart()
        return (
            self._page("Checkout", pages.checkout(lines, note)) if lines else self._page("Cart", pages.cart([], note))
        )

    def _order(self, number: str) -> Response:
        for order in self.store.orders():
            if str(order["number"]) == number:
                return self._page("Thank you", pages.thanks(order["number"], order["cents"]))
        return self._page("Not found", pages.sorry("There is no such order."), 404)

    def _page(self, title: str, body: str, status: int = 200, query: str = "") -> Response:
        in_cart = sum(line.count for line in self.store.cart())
        return Response(pages.page(title, body, in_cart, query), status, headers=_SAFE)


def _number(text: str, otherwise: int) -> int:
    """A small whole number as people write it, or `otherwise`."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else otherwise
