"""The catalogue: products drawn from `catalogue.toml`, so that whatever is said of one is known. What is sold is not said here.

A type has groups of attributes of which a product has one value each, options to choose, and prices; a product's title,
features and description are written from what was drawn. Drawn anew in about a second, always the same.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from random import Random
from typing import Any

from agentgym.seeds import content_hash, derive_seed

PER_TYPE = 160
BRANDS_OF_A_TYPE = 16
MODELS = ("Alto", "Brio", "Core", "Dune", "Ember", "Fjord", "Grove", "Haven", "Iris", "Juno")
_HEADS = "Hal Nor Bri Ves Tam Cor Lun Ald Mer Os Quin Ros Syl Tor Wes Yar"
_TAILS = "den vik mont well ham stad ley dale holm mark brook field"
_OPENINGS = (
    "From the {kind} {noun} range of {brand}, for those who want one thing done well.",
    "{brand} has been known for its {kind} {noun} line for many years.",
    "Of all that {brand} offers under {kind} {noun}, the {model} is the favourite.",
    "Simple, honest, and made to be used: the {brand} {model}.",
)
_CLOSINGS = ("Returned without questions for 30 days.", "Ships in plain paper.", "With two years of guarantee.")


@dataclass(slots=True, frozen=True)
class Option:
    """What a buyer chooses. `step`: by how many percent of the price each further value is dearer."""

    name: str
    values: tuple[str, ...]
    step: int


@dataclass(slots=True, frozen=True)
class Product:
    """One thing on sale. `cents`: its price with the first value of every option. `noun`: its type, as people search for it."""

    id: str
    title: str
    brand: str
    category: str
    noun: str
    kind: str
    attributes: tuple[str, ...]
    features: tuple[str, ...]
    description: str
    options: tuple[Option, ...]
    cents: int
    stars: int

    def price(self, chosen: dict[str, str]) -> int:
        """Cents for these values of the options; what is not chosen costs as its first value. Raises ValueError."""
        steps = sum(each.step * each.values.index(chosen[each.name]) for each in self.options if each.name in chosen)
        return self.cents + self.cents * steps // 100


class Catalogue:
    """All products by id, what their attributes are called otherwise, and which words of titles are nouns."""

    def __init__(self, raw: dict[str, Any], products: list[Product]) -> None:
        self.products = {each.id: each for each in products}
        self.sayings: dict[str, list[str]] = {
            value: said for group in raw["groups"].values() for value, said in group.items()
        }
        types = raw["types"]
        self.categories = list(dict.fromkeys(each["category"] for each in types))
        things = " ".join([*(each["noun"] for each in types), *(kind for each in types for kind in each["kinds"])])
        self.nouns = frozenset({*things.lower().split(), *(each.brand.lower() for each in products)})
        self.hash = content_hash([self.sayings, [asdict(each) for each in products]])


@cache
def catalogue() -> Catalogue:
    """The one catalogue; drawn at first use and kept."""
    raw = tomllib.loads(resources.files(__package__).joinpath("catalogue.toml").read_text())
    options = {
        key: Option(each["name"], tuple(each["values"]), each.get("step", 0)) for key, each in raw["options"].items()
    }
    products: list[Product] = []
    for number, kind in enumerate(raw["types"]):
        rng = Random(derive_seed("shop type", kind["category"]))
        brands = rng.sample([head + tail for head in _HEADS.split() for tail in _TAILS.split()], BRANDS_OF_A_TYPE)
        for n in range(PER_TYPE):
            model = f"{MODELS[n // BRANDS_OF_A_TYPE]} {rng.randint(1, 9)}"
            made = _product(raw, kind, brands[n % BRANDS_OF_A_TYPE], model, options, rng)
            products.append(Product(f"P{number:02}{n:03}", *made))
    return Catalogue(raw, products)


def _product(
    raw: dict[str, Any], type_: dict[str, Any], brand: str, model: str, options: dict[str, Option], rng: Random
) -> tuple[Any, ...]:
    """All of a product but its id, in the order of its fields."""
    noun, kind = type_["noun"], rng.choice(type_["kinds"])
    drawn = [rng.choice(list(raw["groups"][name])) for name in type_["groups"]]
    attributes = tuple(rng.sample(drawn, max(3, len(drawn) - rng.randint(0, 1))))
    shown = rng.sample(attributes, 2)
    title = f"{brand} {model} {kind.title()} {noun.title()}, {shown[0].title()}, {shown[1].title()}"
    words = {"brand": brand, "model": model, "kind": kind, "noun": noun}
    features = (*(each.capitalize() for each in attributes), f"Model {model} of {2019 + rng.randint(0, 6)}")
    description = f"{rng.choice(_OPENINGS).format(**words)} {rng.choice(_CLOSINGS)}"
    low, high = type_["price"]
    dollars = low + (high - low) * rng.random() ** 1.5
    cents = int(dollars) * 100 + rng.choice((0, 49, 95, 99))
    chosen = tuple(_some(options[name], rng) for name in type_["options"])
    return (
        *(title, brand, type_["category"], noun, kind, attributes, features, description),
        *(chosen, cents, rng.randint(30, 50)),
    )


def _some(option: Option, rng: Random) -> Option:
    """Most values of an option, in their order: not every product comes in all of them."""
    count = rng.randint(max(2, len(option.values) - 3), len(option.values))
    kept = sorted(rng.sample(range(len(option.values)), count))
    return Option(option.name, tuple(option.values[at] for at in kept), option.step)
