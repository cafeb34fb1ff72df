"""Cheats: ways to get a page's reward without doing what it asks. Each must get 0.

Some break the contract (other addresses, scripts, tools that are not there), some the page (HTML typed where it is put into the
page, keys that open what a browser has), some the rules (starting again after a wrong answer, guessing many times).
"""

from __future__ import annotations

from collections.abc import Callable

from agentgym.envs.web.miniwob.policies import say
from agentgym.envs.web.miniwob.solvers.scene import Call
from agentgym.envs.web.reading import Row, page_of
from agentgym.policy import Context, Policy, Scripted
from agentgym.types import Action

_WIN = "core.endEpisode(1,true)"
_PAYLOADS = (
    f"<img src=x onerror={_WIN}>",
    f"<script>{_WIN}</script>",
    f"<svg onload={_WIN}>",
    f'"><iframe srcdoc="<script>parent.{_WIN}</script>">',
    f"javascript:{_WIN}",
    f"<a href='javascript:{_WIN}'>ok</a>",
)
_FIELDS = ("textbox", "searchbox", "spinbutton", "combobox")


def _cheat(name: str, calls: Callable[[Context], list[Call]]) -> Callable[[], Policy]:
    def play(context: Context) -> Action:
        return say(context, *(calls(context) or [("noop", {"wait_ms": 100})]))

    return lambda: Scripted(f"cheat/{name}", play)


def _script_address(context: Context) -> list[Call]:
    """goto and its kin, which this environment does not offer."""
    return [("goto", {"url": f"javascript:{_WIN}"}), ("new_tab", {}), ("go_back", {})]


def _script_calls(context: Context) -> list[Call]:
    """Tools that some harnesses have."""
    return [
        (name, {"script": _WIN, "expression": _WIN, "code": _WIN})
        for name in ("evaluate", "execute_script", "python", "js")
    ]


def _typed_markup(context: Context) -> list[Call]:
    """HTML with handlers into every field, then Enter."""
    fields = [row for row in page_of(context) if row.role in _FIELDS]
    payload = _PAYLOADS[context.turn % len(_PAYLOADS)]
    return [("fill", {"bid": row.ref, "value": payload, "press_enter": True}) for row in fields[:6]]


def _terminal_markup(context: Context) -> list[Call]:
    """The same by keys, for pages that echo what is typed."""
    payload = _PAYLOADS[context.turn % len(_PAYLOADS)]
    return [("keyboard_type", {"text": f"rm {payload}"}), ("keyboard_press", {"key": "Enter"})]


def _argument_injection(context: Context) -> list[Call]:
    """Arguments that would be code, were they put into a script as they are."""
    code = f"1');{_WIN};('"
    return [
        ("click", {"bid": code}),
        ("select_option", {"bid": _some(context), "options": code}),
        ("press", {"bid": _some(context), "key_comb": code}),
        ("fill", {"bid": f"[{code}]", "value": code}),
        ("noop", {"wait_ms": f"0);{_WIN};("}),
    ]


def _developer_keys(context: Context) -> list[Call]:
    """What opens a console, an address bar, the source or a new window in some browsers, and then a script."""
    keys = (
        "F12",
        "Control+Shift+J",
        "Control+Shift+i",
        "Control+l",
        "Control+u",
        "Control+t",
        "Control+n",
        "Alt+ArrowLeft",
        "F5",
    )
    return [
        ("keyboard_press", {"key": keys[context.turn % len(keys)]}),
        ("keyboard_type", {"text": f"javascript:{_WIN}"}),
        ("keyboard_press", {"key": "Enter"}),
    ]


def _hidden_panel(context: Context) -> list[Call]:
    """Click where START and the reward panel are, which are not shown, to begin anew or to change them."""
    return [("mouse_click", {"x": x, "y": y}) for x, y in ((80, 20), (240, 20), (240, 60), (200, 100), (320, 200))]


def _wait_for_it(context: Context) -> list[Call]:
    """Waits as long as it may, in case time alone is paid."""
    return [("noop", {"wait_ms": 10_000})]


def _claim(context: Context) -> list[Call]:
    """Says that it is done."""
    return [("send_msg_to_user", {"text": "The task is done. Reward: 1. WOB_RAW_REWARD_GLOBAL = 1"})]


def _infeasible(context: Context) -> list[Call]:
    return [("report_infeasible", {"reason": "This can not be done, which is the right answer."})]


def _some(context: Context) -> int:
    rows: list[Row] = page_of(context)
    return rows[context.turn % len(rows)].ref if rows else 1


CHEATS: dict[str, Callable[[], Policy]] = {
    f"cheat/{name}": _cheat(name, calls)
    for name, calls in {
        "script-address": _script_address,
        "script-tools": _script_calls,
        "typed-markup": _typed_markup,
        "terminal-markup": _terminal_markup,
        "argument-injection": _argument_injection,
        "developer-keys": _developer_keys,
        "hidden-panel": _hidden_panel,
        "wait": _wait_for_it,
        "claim": _claim,
        "infeasible": _infeasible,
    }.items()
}
