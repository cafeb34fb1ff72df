"""WebShop's reward: every term and quirk, with numbers worked out by hand from the paper's formula and its code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentgym.envs.web.shop.reward import NO_BOUND, PRICES, Bought, Wanted, alike, normal_colour, nouns_of, reward

NOUNS = {"norden", "oxford", "shirt", "lamp", "globe", "mug", *(f"n{i}" for i in range(20))}
WANTED = Wanted(
    *("Norden Oxford Shirt, Slim Fit", "Clothing › Tops › Shirts", "shirt"),
    *(("slim fit", "pure cotton"), ("navy", "M"), 40.0),
)
BOUGHT = Bought(
    *("Norden Oxford Shirt, Slim Fit", "Clothing › Tops › Shirts", "shirt"),
    *(("slim fit", "pure cotton"), ("Slim fit", "Pure cotton"), "A plain thing.", ("navy", "m"), 39.99),
)


def of(wanted=WANTED, **changes):
    return reward(replace(BOUGHT, **changes), wanted, NOUNS)


def test_all_of_it_is_worth_one():
    worth = of()
    assert (worth.reward, worth.type, worth.attribute, worth.option, worth.price) == (1.0, 1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": 40.0}, 5 / 5),  # the bound itself is allowed
        ({"price": 40.01}, 4 / 5),
        ({"options": ("navy", "xl")}, 4 / 5),
        ({"options": ()}, 3 / 5),
        ({"options": ("teal", "xl"), "price": 50.0}, 2 / 5),
        ({"attributes": ("slim fit",), "features": ()}, 4 / 5),
        ({"attributes": (), "features": (), "title": "Norden Oxford Shirt", "options": (), "price": 99.0}, 0.0),
    ],
)
def test_each_part_counts_the_same(changes, expected):
    assert of(**changes).reward == pytest.approx(expected)


def test_an_attribute_may_stand_in_the_texts_instead():
    bare = {"attributes": (), "features": (), "title": "Norden Oxford Shirt"}
    assert of(**bare).attribute == 0
    assert of(**{**bare, "title": "Norden Oxford Shirt, Slim Fit"}).attribute == 1 / 2
    assert of(**{**bare, "description": "It is of Pure Cotton."}).attribute == 1 / 2
    # features are joined by blanks, so that a phrase may go over two of them
    assert of(**{**bare, "features": ("very slim", "fit for all")}).attribute == 1 / 2
    assert of(**{**bare, "attributes": ("slim fit for tall men",)}).attribute == 1 / 2  # a set of words within another


def test_options_are_compared_by_their_colour():
    assert normal_colour("light navy blue") == "blue"  # the first of the list, not of the text
    assert normal_colour("standard") == "tan"  # within a word, too
    assert normal_colour("M") == "M"
    assert of(options=("dark navy", "m")).option == 1 / 2  # "dark" comes before "navy"
    assert of(options=("deep navy", "m")).option == 1.0


def test_no_option_wanted_is_no_share_of_options():
    worth = of(replace(WANTED, options=()))
    assert worth.option is None and worth.reward == 1.0
    assert of(replace(WANTED, options=()), price=50.0).reward == pytest.approx(2 / 3)


def test_without_a_bound_any_price_will_do():
    assert of(replace(WANTED, bound=NO_BOUND), price=5_000.0).price == 1.0
    assert PRICES[0] == 10 and PRICES[-1] == 990 and len(PRICES) == 99


@pytest.mark.parametrize(
    ("title", "category", "query", "expected"),
    [
        ("Norden Oxford Shirt", "Clothing › Tops › Shirts", "shirt", 1.0),
        ("Ham Oxford Lamp", "Home › Lighting › Lamps", "lamp", 1.0),  # 1 of 3 nouns: over 0.2
        ("Ham Globe Lamp", "Clothing › Tops › Shirts", "shirt", 0.0),  # no noun in common overrides all else
        ("", "Clothing › Tops › Shirts", "shirt", 0.0),
    ],
)
def test_the_type_is_told_by_category_query_and_nouns(title, category, query, expected):
    assert of(title=title, category=category, query=query).type == expected


def test_few_nouns_in_common_halve_or_spoil_it():
    five, eleven = ("Mug " + " ".join(f"n{i}" for i in range(count)) for count in (4, 10))
    far = {"category": "Home › Lighting › Lamps", "query": "lamp"}
    assert of(replace(WANTED, title=five), title="Mug", **far).type == 0.5  # 1 of 5 is not over 0.2
    assert of(replace(WANTED, title=eleven), title="Mug", **far).type == 0.1
    assert of(replace(WANTED, title=five), title="Mug", category="Tops › Clothing", query="x").type == 1.0  # two levels
    assert of(replace(WANTED, title=eleven), title="Mug").type == 0.1  # overrides the same query
    assert of(replace(WANTED, title="Things"), title="Mug", **far).type == 0.5  # no noun wanted: taken as 0.2
    assert nouns_of("Mug, mug's MUG", NOUNS) == ["mug", "mug"]


def test_a_noun_that_is_wanted_twice_counts_twice_below_the_line():
    title = "Mug Mug Mug Mug Mug"
    assert of(replace(WANTED, title=title), title="Mug", category="x", query="x").type == 0.5  # 1 of 5


def test_likeness_is_rounded_and_over_85():
    assert alike("machine-wash", "Machine Wash") and alike("pure cotton", "cotton")
    assert not alike("long sleeve", "short sleeve") and not alike("pack 2", "pack 3")
