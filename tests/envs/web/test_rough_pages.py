"""Rough pages: whatever a page or an agent does, there is an observation or a typed failure, soon, and never a reward."""

import json
import os
import signal

import pytest

from agentgym.envs.web.browser import memory
from agentgym.envs.web.browser.tab import Tab
from agentgym.errors import SandboxError
from agentgym.types import Action, ToolCall


def calls(*given):
    made = (ToolCall(str(n), name, json.dumps(arguments)) for n, (name, arguments) in enumerate(given))
    return Action(calls=tuple(made))


async def test_elements_that_can_not_be_acted_on(player):
    said = await player.start(
        "<button disabled>off</button><button id=a onclick=\"document.body.removeChild(document.getElementById('b'))\">drop</button>"
        "<button id=b>gone</button><button style='position:fixed;top:200px;left:0'>under</button>"
        "<div style='position:fixed;top:190px;left:0;width:300px;height:90px;background:red'></div><input readonly value=x><p>text</p>"
    )
    assert "[1] button 'off', disabled" in said
    assert "disabled" in await player.do("click('1')")
    assert "gone" not in await player.do("click('2')")
    assert "is gone" in await player.do("click('3')")
    assert "covered by" in await player.do("click('4')")
    assert "no element [99]" in await player.do("click('99')")
    assert "no element's id" in await player.do("click('x; alert(1)')")
    assert "read-only" in await player.do("fill('6', 'y')")
    assert "no field" in await player.do("fill('7', 'y')")
    assert "outside of the viewport" in await player.do("mouse_click(4000, 1)")
    assert "no key" in await player.do("keyboard_press('Hyper')")


async def test_ids_of_a_page_that_is_gone_are_refused_in_the_same_turn(player):
    player.site.pages["/next"] = "<button>Delete all</button>"
    await player.start("<a href=/next>next</a>")
    said = await player.do(calls(("click", {"bid": 1}), ("click", {"bid": 1})))
    assert "the page has changed since it was shown" in said and "Delete all" in said
    assert "Clicked" in await player.do("click('1')")


async def test_scripts_and_foreign_letters_in_fields_are_text(player):
    await player.start("<textarea></textarea><input type=date><select><option>eins<option>zwei</select>")
    for text in ("<script>alert(1)</script>", "'); alert(1); ('", "größer 大きい", "שלום עולם", "line\nline"):
        said = await player.do(calls(("fill", {"bid": 1, "value": text})))
        assert (
            f"value='{text}'".replace("\n", "\\n").replace("'); alert(1); ('", "\\'); alert(1); (\\'") in said
            and "Note" not in said
        )
    assert "no value" in await player.do("fill('2', 'tomorrow')")
    assert "value='2027-06-15'" in await player.do("fill('2', '2027-06-15')")
    assert "no option" in await player.do("select_option('3', 'drei')")
    assert "option 'zwei', selected" in await player.do("select_option('3', 'zwei')")


async def test_right_to_left_text_is_shown_as_written(player):
    assert "paragraph 'שלום עולם'" in await player.start("<html dir=rtl><p>שלום עולם</p></html>")


async def test_dialogs_are_told_and_answered(player):
    await player.start(
        "<button onclick=\"alert('hi'); this.textContent = confirm('sure?')\">ask</button><button onclick='for(let i=0;i<50;i++)alert(i)'>b</button>"
    )
    said = await player.do("click('1')")
    assert (
        "dialog (alert) said 'hi'" in said
        and "dialog (confirm) said 'sure?' and was dismissed" in said
        and "button 'false'" in said
    )
    assert (await player.do("click('2')")).count("Note:") <= 20


async def test_pop_ups_become_tabs(player):
    player.site.pages["/other"] = "<p>the other page</p>"
    await player.start("<a href=/other target=_blank>open</a>")
    said = await player.do("click('1')")
    assert "opened a new tab" in said and "the other page" in said and "Tab 1 of 0 to 1" in said
    assert "link 'open'" in await player.do("tab_focus(0)")
    await player.do("tab_focus(1)")
    assert "link 'open'" in await player.do("tab_close()")
    assert "no tab 7" in await player.do("tab_focus(7)")


@pytest.mark.slow
async def test_no_more_tabs_than_allowed(player):
    await player.start("<button onclick=\"for (let i = 0; i < 30; i++) window.open('/x' + i)\">many</button>")
    said = await player.do("click('1')")
    assert "one tab too many" in said and len(player.env.session.tabs) == 10


async def test_downloads_and_files_are_refused(player):
    await player.start("<a href=/file>get</a><input type=file>")
    assert "link 'get'" in await player.do("click('1')")
    assert "asks for a file" in await player.do("click('2')")
    assert "takes a file" in await player.do("fill('2', '/etc/passwd')")
    for name in ("/etc/passwd", "../../etc/passwd", ""):
        assert "there is no file" in await player.do(calls(("upload_file", {"bid": 2, "file": name})))


async def test_files_that_a_task_brings_can_be_uploaded(player, monkeypatch):
    monkeypatch.setattr(type(player.env), "files", lambda self: {"größe.txt": b"12 cm", "b.txt": b"b"})
    await player.start(
        "<input type=file onchange='this.files[0].text().then((text) => { said.textContent = this.files[0].name + text })'>"
        "<p id=said>none</p><input type=file multiple><input type=file disabled><button>ok</button>"
    )
    assert "größe.txt12 cm" in await player.do(calls(("upload_file", {"bid": 1, "file": "größe.txt"})))
    both = {"file": ["größe.txt", "b.txt"]}
    assert "takes one file" in await player.do(calls(("upload_file", {"bid": 1, **both})))
    assert "Chosen" in await player.do(calls(("upload_file", {"bid": 3, **both})))
    assert "is disabled" in await player.do(calls(("upload_file", {"bid": 4, "file": "b.txt"})))
    assert "takes no files" in await player.do(calls(("upload_file", {"bid": 5, "file": "b.txt"})))
    kept = player.env.session.browser.home / "files"
    assert list(kept.glob("*/b.txt"))
    await player.env.close()
    assert not list(kept.glob("*/*"))


async def test_addresses_outside_of_the_site_are_refused(player):
    await player.start("<p>here</p>")
    addresses = (
        "http://example.com/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "chrome://version",
        "data:text/html,x",
    )
    for address in (
        *addresses,
        "view-source:http://127.0.0.1",
        "//example.com",
        player.site.origin + "@example.com/",
        "http://127.0.0.1:1/",
    ):
        assert "not of this site" in await player.do(calls(("goto", {"url": address})))
    assert "nothing here" in await player.do("goto('/elsewhere')")
    assert "paragraph 'here'" in await player.do("go_back()")
    assert "no page to go back" in await player.do("go_back()")


async def test_pages_that_do_not_load(player, monkeypatch):
    monkeypatch.setattr(Tab, "load_s", 1.5)
    await player.start("<a href=/redirect/1>round</a><a href=/never>never</a><p>still here</p>")
    assert "ERR_TOO_MANY_REDIRECTS" in await player.do("goto('/redirect/1')")
    await player.do("go_back()")
    said = await player.do("goto('/never')")
    assert "did not finish loading" in said
    assert not player.terminated


async def test_a_script_that_never_ends_ends_the_episode(player, monkeypatch):
    monkeypatch.setattr(Tab, "answer_s", 1.5)
    await player.start("<button onclick='while (true);'>spin</button>")
    said = await player.do("click('1')")
    assert "hangs" in said and player.terminated and player.info.end == "page_lost" and player.info.record.success == 0


@pytest.mark.slow
async def test_a_renderer_that_crashes_ends_the_episode(player):
    await player.start("<button>ok</button>")
    player.env.session.tab.send("Page.crash")
    said = await player.do("click('1')")
    assert "crashed" in said and player.terminated and player.info.record.success == 0


@pytest.mark.nightly
async def test_a_page_that_eats_memory_ends_the_episode(player):
    await player.start("<button onclick='const a = []; while (true) a.push(new Array(1000).fill({}))'>eat</button>")
    await player.do("click('1')")
    assert player.terminated and player.info.record.success == 0


async def test_a_page_that_eats_memory_beside_its_scripts_heap_ends_the_episode_and_no_other(player, monkeypatch):
    monkeypatch.setattr(memory, "LIMIT_MB", 400)
    other = type(player)(player.runtime, player.site)
    await other.start("<button>ok</button>", "/other")
    await player.start(
        "<button onclick='const a = []; setInterval(() => { if (a.length < 60) a.push(new Uint8Array(2e7).fill(1)) }, 1)'>eat</button>"
    )
    for _ in range(20):
        if await player.do("click('1')") and player.terminated:
            break
    assert player.info.end == "page_lost" and player.info.record.success == 0
    assert "Clicked" in await other.do("click('1')")
    await other.env.close()


async def test_a_browser_that_dies_is_nobodys_fault_and_the_next_episode_gets_another(player):
    await player.start("<button>ok</button>")
    os.killpg(player.env.session.browser.process.pid, signal.SIGKILL)
    with pytest.raises(SandboxError, match="died"):
        for _ in range(3):
            await player.do("click('1')")
    await player.env.close()
    again = type(player)(player.runtime, player.site)
    assert "button 'ok'" in await again.start()
    await again.env.close()


@pytest.mark.slow
async def test_ten_megabytes_of_page_are_cut_and_said_so(player):
    said = await player.start("<p>" + "</p><p>".join(f"paragraph {n} " + "x" * 500 for n in range(20_000)) + "</p>")
    assert "the page goes on after" in said and len(said) < 600_000
    assert "Scrolled" in await player.do("scroll(0, 1000)")


async def test_time_stands_still_between_actions_and_a_late_agent_is_still_heard(player):
    import asyncio

    await player.start(
        "<p id=t>0</p><svg width=100 height=100><rect id=r width=20 height=20 fill=red></svg><script>let n = 0; setInterval(() => "
        "t.textContent = ++n, 100); onmousemove = (e) => r.setAttribute('x', e.x)</script>"
    )
    before = await player.do("noop(1)")
    await asyncio.sleep(1.5)
    assert await player.do("noop(1)") == before
    assert "box=(" in await asyncio.wait_for(player.do("mouse_drag_and_drop(10, 60, 50, 60)"), 5)


async def test_actions_written_as_text(player):
    await player.start("<input placeholder=name><button onclick=\"this.textContent='done'\">go</button>")
    assert "value='Ann'" in await player.do("I type it. fill('1', 'Ann')")
    assert "value='Bob'" in await player.do("type [1] [Bob] [0]")
    assert "button 'done'" in await player.do("```click [2]```")
    for nonsense in ("click(", "click(**{})", "os.system('x')", "x" * 50_000, "(" * 5_000, "click(bid=[[[1]]])"):
        assert not player.env.ended and await player.do(nonsense)


async def test_a_picture_on_request(player):
    await player.start("<button>ok</button>")
    observation, *_ = await player.env.step(calls(("screenshot", {"marks": True})))
    blob = observation.messages[0].content[0]
    assert blob.media_type == "image/png" and blob.data.startswith(b"\x89PNG")
