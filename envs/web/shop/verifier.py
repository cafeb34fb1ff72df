"""ShopVerifier: what was ordered, by the shop's own books, is worth what WebShop would pay for it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, ClassVar

from agentgym.envs.web.shop.catalogue import Product, catalogue
from agentgym.envs.web.shop.reward import Bought, Wanted, Worth, reward
from agentgym.errors import VerifierError
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


class ShopVerifier(Verifier):
    """Scores "reward" in [0, 1], "solved" (it is 1: the success rate of WebShop), and its parts `r_type`, `r_att`,
    `r_option`, `r_price`. An order of anything but one piece of one product is worth nothing: nobody asked for more.
    """

    name: ClassVar[str] = "shop"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        return await asyncio.to_thread(_verify, evidence)


def _verify(evidence: Evidence) -> list[Score]:
    try:
        orders: list[dict[str, Any]] = json.loads(evidence.artefacts.get("orders", "[]"))
        lines = orders[0]["lines"] if orders else []
        bought = bought_of(catalogue().products[lines[0]["product"]], lines[0]) if lines else None
        wanted = wanted_of(evidence.task.secret["wanted"])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise VerifierError(f"the artefacts of {evidence.task.id} are broken: {error!r}") from None
    if bought is None:
        return _scores(None, f"nothing was ordered ({evidence.end})")
    if len(lines) != 1 or lines[0]["count"] != 1:
        return _scores(None, f"{sum(line['count'] for line in lines)} pieces were ordered, and one was wanted")
    return _scores(reward(bought, wanted, catalogue().nouns), f"bought {bought.title} for ${bought.price:.2f}")


def wanted_of(record: dict[str, Any]) -> Wanted:
    return Wanted(**{**record, "attributes": tuple(record["attributes"]), "options": tuple(record["options"])})


def bought_of(product: Product, line: dict[str, Any]) -> Bought:
    """What the formula looks at, of a line of an order."""
    options = tuple(value.lower() for value in line["chosen"].values())
    texts = (product.attributes, product.features, product.description)
    return Bought(product.title, product.category, product.noun, *texts, options, line["cents"] / 100)


def _scores(worth: Worth | None, reason: str) -> list[Score]:
    if worth is None:
        return [Score("reward", 0.0, reason=reason), Score("solved", 0.0, reason=reason)]
    parts = {"r_type": worth.type, "r_att": worth.attribute, "r_option": worth.option, "r_price": worth.price}
    solved = float(worth.reward > 1 - 1e-9)
    return [
        Score("reward", worth.reward, reason=reason),
        Score("solved", solved, reason=reason),
        *(Score(name, value) for name, value in parts.items() if value is not None),
    ]
