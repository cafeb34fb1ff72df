"""Frames of other origins: shown, acted on and refused like any other part of a page, while the same-origin policy holds."""

import pytest

from agentgym.envs.web.browser import hands
from agentgym.envs.web.browser.pool import Browsers
from agentgym.envs.web.browser.profile import Profile
from agentgym.runtime import Runtime
from tests.envs.web.conftest import RoughSite


def boxed(page: str, rest: str = "") -> str:
    """A frame whose origin is nobody's."""
    return f'<iframe sandbox="allow-scripts" {rest} srcdoc="{page}"></iframe>'


def line(said: str, part: str) -> str:
    return next(each for each in said.splitlines() if part in each)


def ref(said: str, part: str) -> str:
    return line(said, part).strip()[1:].partition("]")[0]


async def test_what_is_in_them_is_shown_where_it_is(player):
    said = await player.start(f"<h1>top</h1>{boxed('<p>inside</p><button>press</button>')}<p>after</p>")
    lines = said.splitlines()
    outer, inner = lines.index(line(said, "Iframe")), lines.index(line(said, "button 'press'"))
    assert outer < inner < lines.index(line(said, "paragraph 'after'"))
    assert lines[inner].startswith(lines[outer][: len(lines[outer]) - len(lines[outer].lstrip())] + "\t")


async def test_they_are_acted_on(player):
    page = (
        "<button onclick='this.textContent=String(event.isTrusted)'>press</button><input>"
        "<select><option>one<option>two</select><input type=checkbox>"
    )
    said = await player.start(boxed(page))
    assert "button 'true'" in await player.do(f"click('{ref(said, 'press')}')")
    assert "value='größer'" in await player.do(f"fill('{ref(said, 'textbox')}', 'größer')")
    assert "option 'two', selected" in await player.do(f"select_option('{ref(said, 'combobox')}', 'two')")
    assert "checked" in line(await player.do(f"check('{ref(said, 'checkbox')}')"), "checkbox")
    assert ref(await player.do("noop()"), "button 'true'") == ref(said, "press")


async def test_what_is_out_of_view_is_brought_there_and_what_is_covered_is_told(player):
    long = boxed("<p style='height:2000px'>far</p><button onclick='this.textContent=1'>low</button>")
    said = await player.start(f"<p style='height:1500px'>above</p>{long}")
    assert "button '1'" in await player.do(f"click('{ref(said, 'low')}')")
    over = "<div style='position:fixed;inset:0;background:red'></div>"
    said = await player.start(boxed("<button>under</button>") + over, "/covered")
    assert "covered" in await player.do(f"click('{ref(said, 'under')}')")


async def test_one_in_another(player):
    inner = "<iframe sandbox=allow-scripts style='border:7px solid;padding:3px' src='data:text/html,<button onclick=this.textContent=1>deep</button>'></iframe>"
    said = await player.start(boxed(f"<p>between</p>{inner}"))
    assert "button '1'" in await player.do(f"click('{ref(said, 'deep')}')")


async def test_ids_of_a_frame_that_has_changed_are_refused(player):
    said = await player.start(boxed("<a href='data:text/html,<button>new</button>'>go</a><button>old</button>"))
    old = ref(said, "old")
    said = await player.do(f"click('{ref(said, 'go')}')")
    assert "button 'new'" in said and ref(said, "new") != old
    again = await player.do(f"click('{old}')")
    assert "Clicked" not in again and "element" in again
    assert "no element" in await player.do("click('99900001')")


async def test_what_can_not_be_loaded_is_an_empty_frame(player):
    said = await player.start("<iframe src=http://127.0.0.1:9/></iframe><p>rest</p>")
    lines = said.splitlines()
    assert lines.index(line(said, "paragraph 'rest'")) == lines.index(line(said, "Iframe")) + 1


async def test_a_page_of_a_hundred_frames_is_still_a_page(player):
    said = await player.start("".join(boxed(f"<button>b{n}</button>") for n in range(100)))
    assert "button 'b0'" in said and "button 'b19'" in said and "button 'b20'" not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_of_another_server_with_scripts_kept_apart(site, host):
    """The frame's own port is a second origin of the task; `localhost` is another site, too."""
    other = RoughSite()
    await other.open()
    foreign = other.origin.replace("127.0.0.1", host)
    peek = "try{parent.document.title}catch(error){document.querySelector('p').textContent=error.name}"
    other.pages["/f"] = f"<p></p><script>{peek}</script><button onclick=\"fetch('/heard')\">send</button>"
    site.pages["/"] = f"<iframe src={foreign}/f></iframe><p id=own></p>"
    async with Runtime() as runtime:
        pool = await Browsers.of(runtime)
        session = await pool.lease(Profile((site.origin, foreign), 400, 300))
        await session.tab.open(f"{site.origin}/")
        look, _ = await session.tab.look(100)
        assert "SecurityError" in [each.name for each in look.elements]
        button = next(each for each in look.elements if each.role == "button")
        await hands.click_at(session.tab, await hands.aim(session.tab, button.ref))
        await session.tab.settle()
        assert "/heard" in other.asked
        said = await session.tab.call("Runtime.evaluate", expression="document.querySelector('iframe').contentDocument")
        assert said["result"]["subtype"] == "null"
        await pool.give_back(session)
    other.close()
