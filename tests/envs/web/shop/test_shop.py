"""The shop without a browser: what is sold, what is found, what is wanted, and what its server lets nobody do."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from importlib import resources
from itertools import combinations
from random import Random

import pytest

from agentgym.envs.web.http import Request
from agentgym.envs.web.shop.catalogue import catalogue
from agentgym.envs.web.shop.goals import TEST, TRAIN, draw
from agentgym.envs.web.shop.reward import alike, normal_colour, reward
from agentgym.envs.web.shop.search import MOST, Index, words_of
from agentgym.envs.web.shop.site import ShopSite
from agentgym.envs.web.shop.specs import SHOP
from agentgym.envs.web.shop.store import Refused, Store
from agentgym.envs.web.shop.tasks import ShopTasks, split_of
from agentgym.envs.web.shop.verifier import ShopVerifier, bought_of
from agentgym.errors import TaskError, VerifierError
from agentgym.seeds import content_hash
from agentgym.verifier import Evidence

SOLD = catalogue()
PRODUCTS = list(SOLD.products.values())
TASKS = ShopTasks(SHOP.config, None)
GOLDEN = "6c7f3a4062cddb8f"


@pytest.fixture(scope="module")
def index():
    found = Index(PRODUCTS)
    yield found
    found.close()


@pytest.fixture
def site(index):
    site = ShopSite(SOLD, index)
    yield site
    site.store.close()


def test_what_is_sold_can_be_told_apart():
    """A goal can only be checked if no two values of what varies are the same to the reward."""
    raw = tomllib.loads(resources.files("agentgym.envs.web.shop").joinpath("catalogue.toml").read_text())
    for values in raw["groups"].values():
        assert not [pair for pair in combinations(values, 2) if alike(*pair)]
    for option in raw["options"].values():
        said = [normal_colour(value.lower()) for value in option["values"]]
        assert not [pair for pair in combinations(said, 2) if alike(*pair)], option
    for kind in raw["types"]:
        drawn = [(group, value) for group in kind["groups"] for value in raw["groups"][group]]
        assert not [(a, b) for (g, a), (h, b) in combinations(drawn, 2) if g != h and alike(a, b)]


def test_ten_thousand_products_each_with_a_title_of_its_own():
    assert len(PRODUCTS) >= 10_000 and len({each.title for each in PRODUCTS}) == len(PRODUCTS)
    assert all(len(each.attributes) >= 3 and each.options and each.cents > 0 for each in PRODUCTS)
    assert all(group in each.features for each in PRODUCTS[:50] for group in map(str.capitalize, each.attributes))


def test_dearer_options_cost_more():
    product = next(each for each in PRODUCTS if each.options[-1].step)
    name, values = product.options[-1].name, product.options[-1].values
    prices = [product.price({name: value}) for value in values]
    assert prices[0] == product.cents == product.price({}) and prices == sorted(set(prices))
    with pytest.raises(ValueError):
        product.price({name: "free"})


@pytest.mark.parametrize("held_out", [False, True])
def test_a_goal_is_fulfilled_by_what_it_was_drawn_from(held_out):
    rng = Random(1)
    for product in rng.sample(PRODUCTS, 300):
        goal = draw(product, SOLD, rng, held_out)
        line = {"chosen": goal.chosen, "cents": product.price(goal.chosen)}
        assert reward(bought_of(product, line), goal.wanted, SOLD.nouns).reward == 1.0, goal
        assert product.brand not in goal.text and "{" not in goal.text
        for attribute in goal.wanted.attributes:
            assert attribute in goal.text or SOLD.sayings[attribute][held_out] in goal.text
        assert all(option in goal.text for option in goal.wanted.options)


async def test_splits_share_no_product_and_no_words():
    ids = {split: [id async for id in TASKS.ids(split)] for split in ("train", "validation", "test")}
    assert {split: len(found) for split, found in ids.items()} == {split: TASKS.size(split) for split in ids}
    products = {split: {id.partition("-")[0] for id in found} for split, found in ids.items()}
    assert not products["train"] & products["test"] and not products["train"] & products["validation"]
    assert all(split_of(product) == split for split, found in products.items() for product in found)
    for field in fields(TRAIN):
        assert not set(getattr(TRAIN, field.name)) & set(getattr(TEST, field.name))
    assert all(len({attribute, *said}) == 3 for attribute, said in SOLD.sayings.items())


@pytest.mark.parametrize("id", ["", "P00000", "P99999-0", "P00000-10", "P00000--1", "P00000-00", "../x", "P00000-0\n"])
async def test_other_ids_are_refused(id):
    with pytest.raises(TaskError, match="no task"):
        await TASKS.get(id)


async def test_tasks_have_not_changed():
    """Who changes catalogue, goals, pages or scores bumps the version."""
    tasks = [*await TASKS.take("train", 3), *await TASKS.take("test", 3)]
    site = ShopSite(SOLD, Index(PRODUCTS[:400]))
    pages = [site.answer(Request("GET", path)).body for path in ("/", f"/item/{PRODUCTS[0].id}", "/cart")]
    pages.append(site.answer(Request("GET", "/search", {"q": "slim fit oxford shirt"})).body)
    assert content_hash([SOLD.hash, [task.hash for task in tasks], pages])[:16] == GOLDEN


async def test_only_the_beginning_is_another_on_the_page_of_the_product():
    near = ShopTasks(SHOP.configure(start="item").config, None)
    for task, other in zip(await TASKS.take("test", 20), await near.take("test", 20), strict=True):
        assert other.payload == {**task.payload, "start": f"/item/{task.secret['product']}"}
        assert (other.id, other.secret, other.split) == (task.id, task.secret, task.split)


# ---- search -----------------------------------------------------------------------------------------------------------


def test_a_title_finds_its_product_first(index):
    for product in Random(0).sample(PRODUCTS, 30):
        assert index.find(product.title)[0] == product.id


def test_words_are_found_as_people_write_them(index):
    def first(query):
        return SOLD.products[index.find(query)[0]]

    assert first("SHIRTS oxford slim-fit").noun == "shirt"
    assert first("héadphones noise cancelling").noun == "headphones"
    assert first("headph").noun == "headphones"  # unfinished
    assert first("16gb flash drive").noun == first("16 GB flash drives").noun == "flash drive"
    assert words_of("12.5oz & 3") == ["12", "5", "oz", "3"] and words_of("what is this") == ["what", "is", "this"]


def test_order_and_category(index):
    low = [SOLD.products[id].cents for id in index.find("lamp", "price-low")]
    high = [SOLD.products[id].cents for id in index.find("lamp", "price-high")]
    assert len(low) == MOST and low == sorted(low) and sorted(high, reverse=True) == high and set(low) == set(high)
    found = [SOLD.products[id] for id in index.find("gaming", category="Electronics › Audio")]
    assert found and {each.category.split(" › ")[1] for each in found} == {"Audio"}
    assert len(index.find("", category="Toys")) == MOST and index.find("", category="Toys%") == []


HOSTILE = (
    *(
        "'; DROP TABLE found; --",
        '" OR "1"="1',
        'x" OR title:*',
        "title:shirt",
        "NEAR(a b, 2)",
        "shirt NOT oxford",
        "-shirt",
    ),
    *(
        "*",
        "^a",
        '"',
        '""',
        "(",
        "{a b}: c",
        "a AND",
        "OR",
        "\x00",
        "\ud800",
        "％",
        "🧥",
        "‮abc",
        "a" * 100_000,
        "a " * 50_000,
    ),
)


@pytest.mark.parametrize("query", HOSTILE)
def test_nothing_that_is_typed_is_syntax(index, query):
    found = index.find(query)
    assert len(found) <= MOST and all(id in SOLD.products for id in found)
    assert index.find("oxford shirt")


# ---- the server --------------------------------------------------------------------------------------------------------


def buy(site, product, **form):
    chosen = {option.name: option.values[0] for option in product.options}
    return site.answer(Request("POST", f"/item/{product.id}", {}, {**chosen, "count": "1", **form}))


def orders(site):
    return site.store.orders()


def test_an_order_says_what_was_bought_at_the_shops_price(site):
    product = PRODUCTS[0]
    assert buy(site, product, price="0.01", cents="1", title="x").status == 303
    assert product.title in site.answer(Request("GET", "/checkout")).body
    assert site.answer(Request("POST", "/checkout", {}, {"delivery": "express", "total": "1"})).status == 303
    [order] = orders(site)
    assert order["cents"] == product.cents and order["lines"][0]["product"] == product.id
    assert site.store.cart() == [] and "Order number 1" in site.answer(Request("GET", "/order/1")).body


def test_nothing_happens_but_by_post(site):
    product = PRODUCTS[0]
    chosen = {option.name: option.values[0] for option in product.options}
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "", "POST /x"):
        site.answer(Request(method, f"/item/{product.id}", {**chosen, "count": "1"}))
        site.answer(Request(method, "/checkout", {"delivery": "standard"}))
    assert not site.store.cart() and not orders(site)


@pytest.mark.parametrize("count", ["-1", "0", "21", "1e3", "", "٣", "1.5", "9" * 5_000, "0x1", "NaN"])
def test_odd_quantities_are_refused(site, count):
    assert "quantity" in buy(site, PRODUCTS[0], count=count).body and not site.store.cart()


def test_options_have_to_be_chosen_from_what_there_is(site):
    option = PRODUCTS[0].options[0]
    for value in ("", "free", "<b>", "'"):
        assert f"choose a {option.name}" in buy(site, PRODUCTS[0], **{option.name: value}).body
    assert not site.store.cart()


def test_an_empty_cart_can_not_be_ordered_nor_one_twice(site):
    assert "empty" in site.answer(Request("POST", "/checkout", {}, {"delivery": "standard"})).body
    buy(site, PRODUCTS[0])
    assert "choose a delivery" in site.answer(Request("POST", "/checkout", {}, {"delivery": "free"})).body
    for _ in range(3):
        site.answer(Request("POST", "/checkout", {}, {"delivery": "standard"}))
    assert len(orders(site)) == 1


def test_what_is_typed_is_shown_and_never_markup(site):
    body = site.answer(Request("GET", "/search", {"q": '"><script>x</script>', "c": "<b>"})).body
    assert "<script>" not in body and "<b>" not in body and "&lt;script&gt;" in body


@pytest.mark.parametrize(
    "path", ["/admin", "/orders", "/order/2", "/order/../x", "/item/P99999", "/../../etc/passwd", "//", "/a\x00"]
)
def test_there_is_nothing_behind_the_shop(site, path):
    assert site.answer(Request("GET", path)).status in (200, 404)
    assert "Welcome" in site.answer(Request("GET", path)).body or "no such" in site.answer(Request("GET", path)).body


def test_a_copy_goes_its_own_way():
    store = Store(SOLD)
    chosen = {option.name: option.values[0] for option in PRODUCTS[0].options}
    store.add(PRODUCTS[0], chosen, 2)
    other = Store(SOLD, store.save())
    other.order("standard")
    assert len(store.cart()) == 1 and not store.orders() and not other.cart() and len(other.orders()) == 1
    with pytest.raises(Refused, match="empty"):
        other.order("standard")


# ---- the verdict -------------------------------------------------------------------------------------------------------


async def scores_of(task, lines):
    text = json.dumps([{"number": 1, "delivery": "standard", "cents": 0, "lines": lines}] if lines else [])
    found = await ShopVerifier().verify(Evidence(task, {"orders": text}), None)
    return {score.channel: score.value for score in found}


async def test_the_verdict():
    [task] = await TASKS.take("test", 1)
    product = SOLD.products[task.secret["product"]]
    line = {
        "product": product.id,
        "chosen": task.secret["chosen"],
        "count": 1,
        "cents": product.price(task.secret["chosen"]),
    }
    assert (await scores_of(task, [line]))["solved"] == 1.0
    assert await scores_of(task, []) == {"reward": 0.0, "solved": 0.0}
    assert (await scores_of(task, [{**line, "count": 2}]))["reward"] == 0.0
    assert (await scores_of(task, [line, line]))["reward"] == 0.0
    dear = await scores_of(task, [{**line, "cents": 10_000_000}])
    assert 0 < dear["reward"] < 1 and dear["solved"] == 0.0 and dear["r_price"] == 0.0
    with pytest.raises(VerifierError, match="broken"):
        await ShopVerifier().verify(Evidence(task, {"orders": "{"}), None)
