"""SettingsApp: a phone's settings, served to one episode. What is set is held by the server, and judged from there."""

from __future__ import annotations

import json
from typing import Any

from agentgym.envs.gui.tasks.app import App, Stuck, fill, find, tap
from agentgym.envs.gui.tasks.devices import Device
from agentgym.envs.gui.tasks.settings import pages
from agentgym.envs.gui.tasks.settings.schema import LEVELS, Entry, Section, entries, sections
from agentgym.envs.gui.tasks.steps import Step
from agentgym.envs.web.browser.elements import Look
from agentgym.envs.web.http import Request, Response, Server, see_other

_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
    "Cache-Control": "no-store",
}


class SettingsApp(App):
    """`now`: all settings by key. Only POST changes anything, and only to what a page offers."""

    def __init__(self, order: list[str], before: dict[str, str], wanted: dict[str, str]) -> None:
        self.now, self._wanted = dict(before), wanted
        by_key = {section.key: section for section in sections()}
        self._sections = [by_key[key] for key in order]
        self._server: Server | None = None

    @classmethod
    async def host(cls, payload: dict[str, Any], secret: dict[str, Any]) -> SettingsApp:
        app = cls(payload["order"], payload["before"], secret["after"])
        app._server = await Server.open(app.answer)
        app.origin = app._server.origin
        return app

    async def facts(self) -> dict[str, str]:
        return {"settings": json.dumps(self.now, sort_keys=True)}

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.close()

    def parent(self, path: str) -> str | None:
        match path.strip("/").split("/"):
            case ["c" | "e", key] if key in entries():
                return f"/s/{entries()[key][0].key}"
        return "/"

    # ---- pages ----------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        """Whatever is asked for, or what is wrong with it."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", [""]:
                return _page(pages.home(self._sections))
            case "GET", ["settings.css"]:
                return Response(pages.CSS, kind="text/css", headers={"Cache-Control": "max-age=86400"})
            case "GET", ["s", key] if found := [each for each in self._sections if each.key == key]:
                return _page(pages.section(found[0], self.now))
            case "GET", ["c" | "e", key] if key in entries() and entries()[key][1].kind in ("choice", "text"):
                section, entry = entries()[key]
                page = pages.choice if entry.kind == "choice" else pages.text
                return _page(page(section, entry, self.now[key]))
            case "POST", ["set", key] if key in entries():
                return self._set(*entries()[key], request)
        return _page(pages.sorry("There is no such page."), 404)

    def _set(self, section: Section, entry: Entry, request: Request) -> Response:
        value = request.form.get("value", "").strip()
        if entry.kind == "level":
            at = LEVELS.index(self.now[entry.key]) + {"1": 1, "-1": -1}.get(request.form.get("step", ""), 0)
            value = LEVELS[min(max(at, 0), len(LEVELS) - 1)]
        if entry.kind != "text" and value not in entry.values:
            return _page(pages.sorry("That is no value for it."), 400)
        self.now[entry.key] = value[:60]
        return see_other(f"/s/{section.key}")

    # ---- the oracle ------------------------------------------------------------------------------------------------

    def next_step(self, look: Look, path: str, device: Device) -> Step:
        wrong = [key for key, value in self._wanted.items() if self.now[key] != value]
        if not wrong:
            return Step("done", why="all is as it was asked for")
        section, entry = entries()[wrong[0]]
        wanted = self._wanted[entry.key]
        match path.strip("/").split("/"):
            case [""]:
                return tap(find(look, "link", section.title))
            case ["s", key] if key == section.key:
                return self._in_section(look, entry, wanted)
            case ["c", key] if key == entry.key:
                return tap(find(look, "button", wanted, start=True))
            case ["e", key] if key == entry.key:
                field = find(look, "textbox", entry.label)
                return tap(find(look, "button", "Save")) if field.value == wanted else fill(field, wanted)
        if device.tool == "mobile_use":
            return Step("back", why="go back")
        return tap(find(look, "link", "Back"))

    def _in_section(self, look: Look, entry: Entry, wanted: str) -> Step:
        match entry.kind:
            case "switch":
                return tap(find(look, "switch", entry.label))
            case "level":
                more = LEVELS.index(wanted) > LEVELS.index(self.now[entry.key])
                return tap(find(look, "button", f"{'More' if more else 'Less'} {entry.label}"))
            case "choice" | "text":
                return tap(find(look, "link", entry.label, start=True))
        raise Stuck(entry.key)


def _page(html: str, status: int = 200) -> Response:
    return Response(html, status, headers=_SAFE)
