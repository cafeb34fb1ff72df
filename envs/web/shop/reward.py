"""WebShop's reward (arXiv 2207.01206), as its code computes it, quirks included. Pure; what was bought is not found out here.

    r = r_type * (matched attributes + matched options + [price <= bound]) / (|attributes| + |options| + 1)

Two things differ. Nouns of titles come from the catalogue's own lexicon instead of a part-of-speech tagger.  And
`token_set_ratio` is rapidfuzz's, rounded and with its words taken apart as thefuzz does; thefuzz 0.19 without Levenshtein
computes it by difflib, which may differ by a few points.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from agentgym.errors import UsageError

NEEDED = 85
NO_BOUND = 1_000_000.0
PRICES = tuple(10.0 * n for n in range(1, 100))
_COLOURS = """
alabaster apricot aqua ash asphalt azure banana beige black blue blush bordeaux bronze brown burgundy camel camo caramel
champagne charcoal cheetah chestnut chocolate christmas coffee cognac copper coral cranberry cream crystal dark denim
eggplant elephant espresso fuchsia gold granite grape graphite grass gray green grey heather indigo ivory ivy khaki
lavender lemon leopard light lilac lime magenta maroon mauve merlot midnight mint mocha multicolor mushroom mustard
natural navy nude olive orange peach pewter pink plum purple rainbow red rose royal rust sand sapphire seashell silver
skull slate steel stone stonewash sunflower tan taupe teal tiger turquoise violet walnut wheat white wine yellow
"""
COLOURS = tuple(_COLOURS.split())


@dataclass(slots=True, frozen=True)
class Wanted:
    """A goal. `bound`: the most it may cost, in dollars; NO_BOUND without one. `query`: what such things are searched by."""

    title: str
    category: str
    query: str
    attributes: tuple[str, ...]
    options: tuple[str, ...]
    bound: float


@dataclass(slots=True, frozen=True)
class Bought:
    """What the formula looks at in a product that was bought, for `price` dollars with these values of its options."""

    title: str
    category: str
    query: str
    attributes: tuple[str, ...]
    features: tuple[str, ...]
    description: str
    options: tuple[str, ...]
    price: float


@dataclass(slots=True, frozen=True)
class Worth:
    """The reward and what it is made of, all in [0, 1]. `option` is None where no option was asked for."""

    reward: float
    type: float
    attribute: float
    option: float | None
    price: float


def reward(bought: Bought, wanted: Wanted, nouns: Collection[str]) -> Worth:
    """What `bought` is worth to someone who wanted `wanted`; `nouns`: which words of titles count."""
    attributes = sum(_has(bought, each) for each in wanted.attributes)
    chosen = [normal_colour(each) for each in bought.options]
    options = sum(any(alike(mine, normal_colour(each)) for mine in chosen) for each in wanted.options)
    price = float(bought.price <= wanted.bound)
    kind = type_reward(bought, wanted, nouns)
    parts = len(wanted.attributes) + len(wanted.options) + 1
    return Worth(
        reward=kind * (attributes + options + price) / parts,
        type=kind,
        attribute=attributes / len(wanted.attributes) if wanted.attributes else 1.0,
        option=options / len(wanted.options) if wanted.options else None,
        price=price,
    )


def type_reward(bought: Bought, wanted: Wanted, nouns: Collection[str]) -> float:
    """r_type: 1, or 0.5 for another sort of thing, 0.1 or 0 where the titles have hardly a noun, or none, in common."""
    levels = {each.strip() for each in bought.category.split("›")} & {
        each.strip() for each in wanted.category.split("›")
    }
    asked = nouns_of(wanted.title, nouns)
    common = set(nouns_of(bought.title, nouns)) & set(asked)
    title = len(common) / len(asked) if asked else 0.2
    if title == 0.0:
        return 0.0
    if title < 0.1:
        return 0.1
    return 1.0 if bought.query == wanted.query or len(levels) >= 2 or title > 0.2 else 0.5


def nouns_of(title: str, nouns: Collection[str]) -> list[str]:
    """The nouns of a title, in order; one that comes twice is there twice, and counts twice below the line."""
    return [word for word in re.findall(r"[\w']+", title.lower()) if word in nouns]


def alike(one: str, other: str) -> bool:
    """Whether the words of one and the other are more than NEEDED percent the same; one may have more of them."""
    try:
        from rapidfuzz import fuzz, utils
    except ImportError:
        raise UsageError("rapidfuzz is missing: pip install 'agentgym[web]' (or pip install rapidfuzz)") from None
    return round(fuzz.token_set_ratio(one, other, processor=utils.default_process)) > NEEDED


def normal_colour(text: str) -> str:
    """The first of the known colours that stands anywhere in `text`, within a word, too; else `text`."""
    return next((colour for colour in COLOURS if colour in text), text)


def _has(bought: Bought, attribute: str) -> bool:
    texts = (bought.title, " ".join(bought.features), bought.description)
    return any(alike(each, attribute) for each in bought.attributes) or any(attribute in each.lower() for each in texts)
