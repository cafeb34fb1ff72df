"""Screens of pages made for it, and of real ones, in the real Chromium: what is found, where, and what is left out."""

import json
from dataclasses import asdict, replace
from io import BytesIO

import pytest
from PIL import Image

from agentgym.envs.gui.screens import generate as generating
from agentgym.envs.gui.screens.candidates import Candidate
from agentgym.envs.gui.screens.capture import Unfit, capture, look
from agentgym.envs.gui.screens.generate import Recipe, Shard, generate
from agentgym.envs.gui.screens.meaning import Meaning, resolve
from agentgym.envs.gui.screens.packages import PACKAGES, Package, fetch
from agentgym.envs.gui.screens.samples import digest, pixels
from agentgym.envs.gui.screens.shards import Shards, candidates_of
from agentgym.envs.gui.screens.sources import Page, paths
from agentgym.envs.gui.screens.variants import Variant
from agentgym.envs.swe.packages import FetchError
from agentgym.envs.web.browser.pool import Browsers
from agentgym.envs.web.static import StaticSite
from agentgym.errors import TaskError
from agentgym.tasks import SPLITS

RULES = "".join(f".r{n}{{margin:0}}" for n in range(12))
PLAIN = Variant(800, 600, 1.0, False, "en", 0)


@pytest.fixture
async def browsers():
    pool = Browsers(1, 4)
    yield pool
    await pool.close()


@pytest.fixture
def seen(browsers, tmp_path):
    """What is on a page of this HTML."""

    async def see(body, variant=PLAIN):
        (tmp_path / "page.html").write_text(
            f"<!doctype html><style>{RULES} body{{margin:20px;font:16px sans-serif}}</style>{body}"
        )
        site = await StaticSite.open(tmp_path)
        session = await browsers.lease(variant.profile(site.origin))
        await session.tab.open(f"{site.origin}/page.html")
        screen = await look(Page("test", "/page.html"), variant, session.tab)
        await browsers.give_back(session)
        await site.close()
        return screen

    return see


def found(screen, name) -> Candidate:
    (one,) = [each for each in screen.candidates if each.name == name]
    return one


async def test_boxes_are_those_of_the_picture(seen):
    body = "<button style='position:absolute;left:100px;top:50px;width:80px;height:40px;border:0;background:#f00'>A</button>"
    for scale in (1.0, 2.0):
        screen = await seen(body, replace(PLAIN, scale=scale))
        box = pixels(found(screen, "A").box, screen)
        assert box == (100 * scale, 50 * scale, 180 * scale, 90 * scale)
        picture = Image.open(BytesIO(screen.png)).convert("RGB")
        assert picture.getpixel((box[0], box[1])) == picture.getpixel((box[2] - 1, box[3] - 1)) == (255, 0, 0)
        assert picture.getpixel((box[0] - 1, box[1])) != (255, 0, 0) != picture.getpixel((box[2], box[3] - 1))


async def test_a_control_and_its_label_are_one_thing_with_two_places(seen):
    screen = await seen("<input type=checkbox id=a> <label for=a>I agree</label>")
    it = found(screen, "I agree")
    assert it.role == "checkbox" and not it.trouble
    assert len(it.also) == 1 and it.also[0][0] > it.box[2]


async def test_a_drawn_checkbox_is_where_its_label_is(seen):
    screen = await seen("<input type=checkbox id=a style='opacity:0;position:absolute'><label for=a>I agree</label>")
    it = found(screen, "I agree")
    assert it.role == "checkbox" and not it.trouble and it.box[2] - it.box[0] > 30


async def test_shadow_roots_and_frames_of_the_site_are_looked_into(seen, tmp_path):
    (tmp_path / "inner.html").write_text("<!doctype html><body style='margin:10px'><button>Inside</button>")
    screen = await seen(
        "<div id=host></div><script>host.attachShadow({mode:'open'}).innerHTML='<button>Shadow</button>'</script>"
        "<iframe src=inner.html style='position:absolute;left:200px;top:100px;border:0'></iframe>"
    )
    assert not found(screen, "Shadow").trouble
    inside = found(screen, "Inside")
    assert not inside.trouble and inside.box[:2] == (210, 110)


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        ("<button>X</button><div style='position:fixed;inset:0;background:#fff'></div>", "covered"),
        ("<button style='position:absolute;left:760px;width:90px'>X</button>", "cut off"),
        ("<button style='width:6px;height:6px;padding:0;overflow:hidden'>X</button>", "tiny"),
        ("<button style='width:600px;height:500px'>X</button>", "huge"),
        ("<button disabled>X</button>", "disabled"),
        ("<div style='width:60px'>see <a href=#>X and much more of it</a></div>", "in pieces"),
        ("<button aria-label=X style='border:0;background:none;width:30px;height:30px'></button>", "unseen"),
        ("<button style='position:absolute' id=a>X</button><script>setInterval(()=>a.style.left=a.offsetLeft+9+'px',90)</script>", "moving"),
        ("<button>***</button>", "nameless"),
    ],
)  # fmt: skip
async def test_what_can_not_be_asked_for_is_there_and_says_why(seen, body, trouble):
    screen = await seen(body)
    assert [each.trouble for each in screen.candidates if each.role in ("button", "link", "icon")] == [trouble]


async def test_what_is_hidden_is_not_there(seen):
    hidden = ("display:none", "visibility:hidden", "opacity:0", "position:absolute;left:-999px")
    screen = await seen("".join(f"<button style='{style}'>X</button>" for style in hidden))
    assert screen.candidates == ()


async def test_icons(seen):
    screen = await seen(
        "<button aria-label=Close><svg width=20 height=20><circle r=9 cx=10 cy=10></circle></svg></button>"
        "<a href=#><svg width=20 height=20><rect width=9 height=9></rect></svg>"
        "<span style='position:absolute;width:1px;height:1px;overflow:hidden'>Next</span></a>"
        "<style>.bi-trash::before{content:'T'}</style><button><i class='bi bi-trash'></i></button>"
    )
    assert {(each.role, each.name, each.kind) for each in screen.candidates} == {
        ("icon", "Close", "icon"), ("icon", "Next", "icon"), ("icon", "trash", "icon"),
    }  # fmt: skip


async def test_rows_and_sections_tell_twins_apart(seen):
    rows = "".join(f"<tr><td>{name}</td><td><a href=#>Edit</a></td></tr>" for name in ("Airi", "Bo"))
    screen = await seen(f"<section><h2>People</h2><table>{rows}</table></section><nav><a href=#>Edit</a></nav>")
    edits = [i for i, each in enumerate(screen.candidates) if each.name == "Edit"]
    groups = [screen.candidates[i].groups for i in edits]
    assert groups == [
        (("row", "Airi"), ("section", "People")),
        (("row", "Bo"), ("section", "People")),
        (("navigation", ""),),
    ]
    assert resolve(Meaning("within", "edit", "link", ("row", "Bo")), screen.candidates) == [edits[1]]


async def test_language_and_direction(seen):
    screen = await seen("<button>A</button>", replace(PLAIN, language="ar"))
    assert found(screen, "A").box[0] > 700


async def test_pages_that_lack_something_or_have_no_styles_are_not_taken(browsers, tmp_path, monkeypatch):
    async def root(site):
        return tmp_path

    monkeypatch.setattr("agentgym.envs.gui.screens.sources.root_of", root)
    (tmp_path / "a.html").write_text(
        f"<!doctype html><style>{RULES}</style><script src=gone.js></script><button>A</button>"
    )
    (tmp_path / "b.html").write_text("<!doctype html><button>A</button>")
    (tmp_path / "c.html").write_text(
        f"<!doctype html><style>{RULES}</style><img src=http://example.invalid/a.png><button>A</button>"
    )
    for path, why in (("/a.html", "the site lacks /gone.js"), ("/b.html", "no styles"), ("/none.html", "no styles")):
        with pytest.raises(Unfit, match=why):
            await capture(Page("test", path), PLAIN, browsers, None)
    assert found(await capture(Page("test", "/c.html"), PLAIN, browsers, None), "A")


async def test_sites_are_in_one_split_each(monkeypatch):
    by_split = {split: set(await paths(split, ("miniwob", "shop"))) for split in SPLITS}
    assert by_split["train"] and by_split["validation"] and by_split["test"]
    assert not by_split["train"] & by_split["validation"]
    assert {site for site, _ in by_split["test"]} == {"shop"}
    assert {each.split for each in PACKAGES} == set(SPLITS)
    assert len({each.name for each in PACKAGES}) == len(PACKAGES)


async def test_no_pages_for_a_split():
    with pytest.raises(TaskError, match="no pages for 'test'"):
        await generate(Recipe(("miniwob",)), "test", 0, Browsers(1, 1))


async def test_a_package_that_can_not_be_had(monkeypatch, tmp_path):
    monkeypatch.setenv("AGENTGYM_CACHE", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    package = Package("some-package", "1.0.0", "x", "", ("*.html",), "train")
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(FetchError, match="names a registry"):
        await fetch(package)
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    with pytest.raises(FetchError, match="sources="):
        await fetch(package)


@pytest.mark.slow
async def test_a_shard_is_the_same_whoever_makes_it_and_its_instructions_fit_one_thing(browsers, monkeypatch, tmp_path):
    monkeypatch.setattr(generating, "SHARD", 12)
    recipe = Recipe(("miniwob", "shop"), seed=3, negatives=0.1)
    monkeypatch.setattr(generating, "WINDOW", 1)
    first = await generate(recipe, "train", 0, browsers)
    monkeypatch.setattr(generating, "WINDOW", 3)
    again = await generate(recipe, "train", 0, browsers)
    assert [asdict(each) for each in first.samples] == [asdict(each) for each in again.samples]
    assert [each.png for each in first.screens] == [each.png for each in again.screens]
    assert len(first.samples) == 12 and sum(each.box is None for each in first.samples) == 1
    _assert_true(first)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("split", SPLITS)
async def test_shards_of_the_packages_are_the_same_twice_and_true(browsers, split):
    """Fetches the packages from npm's registry."""
    recipe = Recipe(("npm",), negatives=0.05)
    first = await generate(recipe, split, 0, browsers)
    again = await generate(recipe, split, 0, browsers)
    # of a large background image Chromium's pixels may differ by what nobody sees, when the machine is busy
    assert [replace(each, image="") for each in first.samples] == [replace(each, image="") for each in again.samples]
    assert {each.site for each in first.samples} <= {each.name for each in PACKAGES if each.split == split}
    assert sum(each.kind == "icon" for each in first.samples) >= 1
    _assert_true(first)


def _assert_true(shard: Shard) -> None:
    by_image = {digest(screen): screen for screen in shard.screens}
    for sample in shard.samples:
        screen = by_image[sample.image]
        meaning = Meaning(**{**sample.meaning, "group": tuple(sample.meaning.get("group", ("", "")))})
        fits = resolve(meaning, screen.candidates)
        assert [pixels(screen.candidates[i].box, screen) for i in fits] == ([] if sample.box is None else [sample.box])


async def test_shards_are_kept(browsers, monkeypatch, tmp_path):
    monkeypatch.setenv("AGENTGYM_CACHE", str(tmp_path))
    monkeypatch.setattr(generating, "SHARD", 6)
    shards = Shards(Recipe(("miniwob", "shop")))
    made = await shards.samples("test", 0, browsers)
    again = Shards(Recipe(("miniwob", "shop")))
    assert await again.samples("test", 0, Browsers(1, 1)) == made
    folder = again.place("test", 0)
    assert {each.image for each in made} == {path.stem for path in (folder / "images").iterdir()}
    assert candidates_of(folder, made[0].image)
    assert json.loads((folder / "made.json").read_text())["samples"] == 6
    assert Shards(Recipe(("miniwob", "shop"), seed=1)).key != again.key
