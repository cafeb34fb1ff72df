"""Goals: what somebody wants, drawn from a product that has it, and said in many ways. Judging is `reward`'s.

The test split has ways of its own to say everything: openings, attributes, options, prices and their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from agentgym.envs.web.shop.catalogue import Catalogue, Product
from agentgym.envs.web.shop.reward import NO_BOUND, PRICES, Wanted


@dataclass(slots=True, frozen=True)
class Goal:
    """A wish with its truth: the product it was drawn from, the options to choose, and what the formula asks for."""

    product: str
    chosen: dict[str, str]
    wanted: Wanted
    text: str


def draw(product: Product, catalogue: Catalogue, rng: Random, held_out: bool) -> Goal:
    """A goal that `product` fulfils. held_out: in the test split's words."""
    attributes = tuple(rng.sample(product.attributes, rng.randint(1, min(3, len(product.attributes)))))
    asked = rng.sample(product.options, rng.randint(min(1, len(product.options)), len(product.options)))
    chosen = {each.name: rng.choice(each.values) for each in product.options}
    options = {each.name: chosen[each.name] for each in product.options if each in asked}
    bound = _bound(product.price(chosen) / 100, rng)
    wanted = Wanted(product.title, product.category, product.noun, attributes, tuple(options.values()), bound)
    said = _Speaker(catalogue, rng, held_out).say(product, wanted, options)
    return Goal(product.id, _cheapest(product, chosen, options), wanted, said)


def _bound(price: float, rng: Random) -> float:
    """The larger of two of the next four multiples of ten dollars; none near the end of the grid, as in WebShop."""
    above = [each for each in PRICES if each > price][:4]
    return max(rng.sample(above, 2)) if len(above) >= 2 else NO_BOUND


def _cheapest(product: Product, chosen: dict[str, str], asked: dict[str, str]) -> dict[str, str]:
    """What is not asked for may be anything; the first value is the cheapest."""
    first = {each.name: each.values[0] for each in product.options if each.name not in asked}
    return {each: first.get(each, chosen[each]) for each in chosen}


class _Speaker:
    """Says one goal, choosing among the ways of its split."""

    def __init__(self, catalogue: Catalogue, rng: Random, held_out: bool) -> None:
        self._catalogue, self._rng, self._held_out = catalogue, rng, held_out

    def say(self, product: Product, wanted: Wanted, options: dict[str, str]) -> str:
        ways = TEST if self._held_out else TRAIN
        plain, told = self._attributes(wanted.attributes)
        thing = f"{product.kind} {product.noun}" if self._rng.random() < 0.6 else product.noun
        way = self._rng.choice(ways.option)
        values = ", and ".join(way.format(name=name, value=value) for name, value in options.items())
        parts = {
            "thing": f"{', '.join(plain)} {thing}" if plain else thing,
            "clauses": self._rng.choice(ways.clauses).format(" and ".join(told)) if told else "",
            "options": self._rng.choice(ways.options).format(values) if values else "",
            "price": self._rng.choice(ways.prices).format(wanted.bound) if wanted.bound < NO_BOUND else "",
        }
        text = self._rng.choice(ways.frames).format(**parts)
        return " ".join(text.replace(" ,", ",").replace(" .", ".").split())

    def _attributes(self, attributes: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """Some as they are, before the thing; the others in other words, after it."""
        other = [each for each in attributes if self._rng.random() < 0.4]
        said = [self._catalogue.sayings[each][self._held_out] for each in other]
        return [each for each in attributes if each not in other], said


@dataclass(slots=True, frozen=True)
class _Ways:
    frames: tuple[str, ...]
    clauses: tuple[str, ...]
    option: tuple[str, ...]
    options: tuple[str, ...]
    prices: tuple[str, ...]


TRAIN = _Ways(
    frames=(
        "I am looking for {thing}{options}{price}. {clauses}",
        "Find me {thing}{options}{price}. {clauses}",
        "I need {thing}{options}{price}. {clauses}",
        "I want to buy {thing}{options}{price}. {clauses}",
        "Please get {thing} for me{options}{price}. {clauses}",
        "Could you order {thing}{options}{price}? {clauses}",
        "Show me {thing}{options}{price} and buy it. {clauses}",
        "{clauses} It is {thing} that I am after{options}{price}.",
        "My sister asked for {thing}{options}{price}. {clauses}",
        "For a friend: {thing}{options}{price}. {clauses}",
    ),
    clauses=("What I want {}.", "It should be one that {}.", "It only helps me if it {}.", "Make sure that it {}."),
    option=("{name}: {value}", "{name} {value}", "{value} as {name}"),
    options=(" with {}", ", {}", ", in {}", " and take {}"),
    prices=(
        ", and price lower than {:.2f} dollars",
        " for less than ${:.0f}",
        ", below {:.0f} dollars",
        ", under ${:.2f}",
    ),
)
TEST = _Ways(
    frames=(
        "Time to replace my old one, so order {thing}{options}{price}. {clauses}",
        "What would make me happy is {thing}{options}{price}. {clauses}",
        "Have {thing} sent to my home{options}{price}. {clauses}",
        "{clauses} Get me {thing} of that sort{options}{price}.",
        "On my list there is {thing}{options}{price}. {clauses}",
        "I have been told to bring {thing}{options}{price}. {clauses}",
    ),
    clauses=("Mind that it {}.", "My one condition: it {}.", "I only take what {}."),
    option=("the {name} being {value}", "{value} ({name})", "{name} = {value}"),
    options=("; choose {}", " - {} -", ", namely {}"),
    prices=(
        ", and I can spend {:.0f} dollars at the very most",
        ", not above ${:.2f}",
        " while staying within {:.0f} dollars",
    ),
)
