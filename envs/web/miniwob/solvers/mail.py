"""The mail boxes: find a message, and star, delete, answer or pass it on."""

from __future__ import annotations

import re

from agentgym.envs.web.miniwob.solvers.scene import Call, Scene, Solver, Stuck, click, fill

_ASKED = (
    (r"Find the email by (?P<who>\w+) and click the star icon", "star"),
    (r"Find the email by (?P<who>\w+) and click the trash icon", "trash"),
    (r"Find the email by (?P<who>\w+) and reply to them with the text \"(?P<text>.*)\"", "reply"),
    (r"Find the email by (?P<who>\w+) and forward that email to (?P<text>\w+)", "forward"),
)


def _mail(scene: Scene) -> Call:
    for pattern, action in _ASKED:
        if found := re.search(pattern, scene.goal):
            return _do(scene, action, **found.groupdict())
    raise Stuck(f"{scene.goal!r} is put in words of its own")


def _do(scene: Scene, action: str, who: str, text: str = "") -> Call:
    if send := scene.hinted("id=send-"):
        box = scene.fields[0]
        return click(send[0]) if box.value == text else fill(box, text)
    if option := scene.find(action, "StaticText", "generic"):
        return click(option)
    sender = next(n for n, row in enumerate(scene.rows) if row.name == who or row.name.startswith(f"{who} "))
    if action in ("star", "trash"):
        return click(next(row for row in scene.rows[sender:] if f"class={action}" in row.states))
    return click(scene.rows[sender])


SOLVERS: dict[str, Solver] = {
    "email-inbox": _mail,
    "email-inbox-delete": _mail,
    "email-inbox-forward": _mail,
    "email-inbox-important": _mail,
    "email-inbox-noscroll": _mail,
    "email-inbox-reply": _mail,
    "email-inbox-star-reply": _mail,
}
