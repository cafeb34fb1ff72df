"""The pages of the settings as HTML. They need no script, and bring none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from agentgym.envs.gui.tasks.settings.schema import Entry, Section

CSS = """
*{box-sizing:border-box}body{margin:0;font:16px/1.3 sans-serif;background:#f2f3f5;color:#1b1c1e}
header{display:flex;align-items:center;height:56px;padding:0 8px;background:#fff;border-bottom:1px solid #ccd}
header a{width:44px;text-align:center;font-size:24px;color:#24c;text-decoration:none}h1{font-size:19px;margin:0 12px}
ul{list-style:none;margin:0 auto;padding:8px 12px;max-width:720px}li{background:#fff;border-bottom:1px solid #e4e5ea}
li>a,li form>button.row,li>div{display:flex;align-items:center;width:100%;min-height:52px;padding:6px 14px;color:inherit;
text-decoration:none;background:none;border:0;font:inherit;text-align:left;justify-content:space-between}
li form{margin:0}small{color:#667;font-size:14px}.icon{width:26px;height:26px;border-radius:8px;margin-right:14px;flex:none}
.name{flex:1}.switch{width:44px;height:24px;border-radius:12px;background:#bbc;position:relative;flex:none}
.switch::after{content:"";position:absolute;width:20px;height:20px;border-radius:10px;background:#fff;left:2px;top:2px}
.on{background:#26a05a}.on::after{left:22px}.step{display:flex;align-items:center;gap:6px}.step button{width:38px;height:34px;font-size:18px}
.step output{width:56px;text-align:center}.edit{padding:14px}.edit input,.edit button{font:inherit;padding:8px;margin:4px 8px 4px 0}
.note{padding:12px 24px;max-width:720px;margin:0 auto;color:#667}
""" + "".join(f".i{n}{{background:hsl({n * 30} 60% 45%)}}" for n in range(12))


def home(sections: Sequence[Section]) -> str:
    rows = "".join(
        f'<li><a href="/s/{each.key}"><span class="icon i{sum(map(ord, each.key)) % 12}"></span>'
        f'<span class="name">{escape(each.title)}</span></a></li>'
        for each in sections
    )
    return _page("Settings", f"<ul>{rows}</ul>")


def section(section: Section, now: Mapping[str, str]) -> str:
    rows = "".join(f"<li>{_row(entry, now[entry.key])}</li>" for entry in section.entries)
    return _page(section.title, f"<ul>{rows}</ul>", "/")


def choice(section: Section, entry: Entry, now: str) -> str:
    rows = "".join(
        f'<li><form method="post" action="/set/{entry.key}"><button class="row" name="value" value="{escape(value)}">'
        f"{escape(value)}<small>{'✓' if value == now else ''}</small></button></form></li>"
        for value in entry.values
    )
    return _page(entry.label, f"<ul>{rows}</ul>", f"/s/{section.key}")


def text(section: Section, entry: Entry, now: str) -> str:
    said = f"It is “{escape(now)}” now." if now else "It is empty."
    return _page(
        entry.label,
        f'<ul><li><form class="edit" method="post" action="/set/{entry.key}"><p>{said}</p><input name="value" maxlength="60" '
        f'autocomplete="off" aria-label="{escape(entry.label)}"><button>Save</button></form></li></ul>',
        f"/s/{section.key}",
    )


def sorry(said: str) -> str:
    return _page("Settings", f'<p class="note">{escape(said)}</p>', "/")


def _row(entry: Entry, now: str) -> str:
    label = escape(entry.label)
    match entry.kind:
        case "switch":
            on = now == "on"
            return (
                f'<form method="post" action="/set/{entry.key}"><button class="row" role="switch" aria-checked="{str(on).lower()}" '
                f'name="value" value="{"off" if on else "on"}"><span class="name">{label}</span>'
                f'<span class="switch{" on" if on else ""}"></span></button></form>'
            )
        case "level":
            return (
                f'<div><span class="name">{label}</span><form class="step" method="post" action="/set/{entry.key}">'
                f'<button name="step" value="-1" aria-label="Less {label}">−</button><output>{escape(now)} %</output>'
                f'<button name="step" value="1" aria-label="More {label}">+</button></form></div>'
            )
        case "choice" | "text":
            kind = "c" if entry.kind == "choice" else "e"
            return f'<a href="/{kind}/{entry.key}"><span class="name">{label}</span><small>{escape(now)}</small></a>'


def _page(title: str, body: str, back: str = "") -> str:
    link = f'<a href="{back}" aria-label="Back">‹</a>' if back else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><link rel="stylesheet" '
        f'href="/settings.css"><header>{link}<h1>{escape(title)}</h1></header>{body}</html>'
    )
