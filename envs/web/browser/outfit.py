"""What a page is given before anything of it runs: its viewport, place and time zone, our script in a world of its own, a style."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources

from agentgym.envs.web.browser.cdp import Json
from agentgym.envs.web.browser.profile import Profile

WORLD = "agentgym"
"""The world that `page.js` lives in, in each document."""
_STILL = "*,*::before,*::after{animation:none!important;transition:none!important;scroll-behavior:auto!important;caret-color:transparent!important}"


def outfit(profile: Profile) -> Iterator[tuple[str, Json]]:
    """The calls that dress a new page."""
    yield "Page.enable", {}
    yield "Inspector.enable", {}
    yield "Page.setInterceptFileChooserDialog", {"enabled": True}
    yield "Emulation.setFocusEmulationEnabled", {"enabled": True}
    size = {"width": profile.width, "height": profile.height, "deviceScaleFactor": profile.scale, "mobile": False}
    yield "Emulation.setDeviceMetricsOverride", size
    yield "Emulation.setTimezoneOverride", {"timezoneId": "America/New_York"}
    yield "Emulation.setLocaleOverride", {"locale": profile.locale}
    scheme = {"name": "prefers-color-scheme", "value": "dark" if profile.dark else "light"}
    calm = {"name": "prefers-reduced-motion", "value": "reduce"}
    yield "Emulation.setEmulatedMedia", {"features": [scheme, calm]}
    yield "Page.addScriptToEvaluateOnNewDocument", {"source": page_script(profile), "worldName": WORLD}
    if profile.seeded:
        yield "Page.addScriptToEvaluateOnNewDocument", {"source": _script("clock.js")}


@cache
def page_script(profile: Profile) -> str:
    """`page.js`, and the profile's style for every document."""
    css = (_STILL if profile.still else "") + profile.style
    dress = f"{{const sheet=new CSSStyleSheet();sheet.replaceSync({json.dumps(css)});document.adoptedStyleSheets.push(sheet)}}"
    return _script("page.js") + (dress if css else "")


@cache
def _script(name: str) -> str:
    return resources.files("agentgym.envs.web.browser").joinpath(name).read_text()
