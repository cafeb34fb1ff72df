"""GroundingEnvironment: a screenshot and an instruction; one place as the answer, maybe after a closer look at parts."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from agentgym.environment import Environment, Heard
from agentgym.envs.gui.coordinates import SAID, resized
from agentgym.envs.gui.grounding.answer import Answer, answer_of, read
from agentgym.envs.gui.grounding.config import GroundingConfig
from agentgym.envs.gui.grounding.pictures import Box, Shown, crop, whole
from agentgym.envs.gui.grounding.tasks import GroundingTasks
from agentgym.errors import TaskError, ToolError
from agentgym.tools import tool
from agentgym.types import Blob, Content, Message, Observation, Reply, Text

Numbers = Annotated[list[float], Field(description="Two corners: [x1, y1, x2, y2].", min_length=4, max_length=4)]
ANSWERED, UNREADABLE, NO_ANSWER = "answered", "wrong_format", "no_answer"


class GroundingEnvironment(Environment[GroundingConfig]):
    """A task's payload: "instruction"; "image" and "size", SHA-256 and pixels of the screenshot; "shard", or "file" below the folder of pictures.

    The artefact "answer" is a record: "place" (a point or a box in pixels of the screenshot, [] for not there, None for nothing
    readable), "crops" (how many were shown), "slips" (calls and messages that could not be used), "size" (of the screenshot), "largest" (the
    option).
    """

    _png: bytes
    _shown: list[Shown]
    _record: dict[str, Any]

    async def on_reset(self) -> Observation:
        self._png = await self._picture()
        first = await asyncio.to_thread(whole, self._png, self.config.budget)
        self._shown = [first]
        size = [round(first.box[2]), round(first.box[3])]
        self._record = {"place": None, "crops": 0, "slips": 0, "size": size, "largest": self.config.largest}
        if self.config.mode == "single":
            self.allow("click", "answer_box", "not_present")
        elif self.config.mode == "two_rounds":
            self.allow("image_zoom_in_tool")
        return Observation((Message("user", (Blob("image/png", first.png), Text(self._prompt()))),))

    async def on_text(self, text: str) -> Heard:
        """An answer in words, or DeepEyes's tool call as its models write it."""
        if (box := self._wish(text)) is not None:
            try:
                return (Message("user", (await self._look(box)).content),)
            except ToolError as error:
                self._record["slips"] += 1
                return str(error)
        self._finish(read(text))
        return "Your answer was taken down."

    async def on_turn(self) -> Content | None:
        """Whoever has used up the turns without an answer has given none."""
        self._record["slips"] += sum(not result.ok for result in self.results)
        if self.ended is not None:
            return None
        if self.turn + 1 >= self._turns:
            self.end(NO_ANSWER)
            return None
        if self.config.mode == "two_rounds":
            self.allow("click", "answer_box", "not_present")
            return f"\n\n{self._how_to_answer()}"
        left = self._turns - self.turn - 1
        return f"\n\n{left} message{'s' if left > 1 else ''} left."

    async def state(self) -> Any:
        return {"shown": [[hashlib.sha256(each.png).hexdigest(), each.box] for each in self._shown], **self._record}

    async def artefacts(self) -> dict[str, str]:
        return {"answer": json.dumps(self._record)}

    # ---- tools ----------------------------------------------------------------------------------------------------

    @tool
    def click(self, x: float, y: float) -> str:
        """Answer with a point. This ends the task.

        Args:
            x: From the left.
            y: From the top.
        """
        self._finish(answer_of([x, y]))
        return "Clicked."

    @tool
    def answer_box(self, bbox_2d: Numbers) -> str:
        """Answer with a box around what is meant; its middle counts. This ends the task."""
        self._finish(answer_of(bbox_2d))
        return "Your answer was taken down."

    @tool
    def not_present(self) -> str:
        """Answer that what is asked for is not on the screenshot. This ends the task."""
        self._finish(Answer())
        return "Your answer was taken down."

    @tool
    async def image_zoom_in_tool(self, bbox_2d: Numbers, label: str = "") -> Reply:
        """See a part of the first picture at full resolution.

        Args:
            label: What you hope to find there.
        """
        return await self._look(bbox_2d)

    # ---- inside ---------------------------------------------------------------------------------------------------

    @property
    def _turns(self) -> int:
        return {"single": 1, "zoom": self.config.crops + 1, "two_rounds": 2}[self.config.mode]

    def _finish(self, answer: Answer | None) -> None:
        if answer is None:
            self._record["slips"] += 1
            self.end(UNREADABLE)
            return
        shown = self._shown[0 if self.config.answers == "first" else -1]
        place = list(shown.place(answer.place, self.config.coordinates))
        self._record["place"] = place
        self.end(ANSWERED, answer=json.dumps([round(each, 2) for each in place]))

    async def _look(self, numbers: list[float]) -> Reply:
        """Show a part of the first picture."""
        box = self._shown[0].place(tuple(numbers), self.config.coordinates)
        part = await asyncio.to_thread(crop, self._png, _corners(box), self.config.budget)
        self._shown.append(part)
        self._record["crops"] += 1
        return Reply((Text(self._caption(part)), Blob("image/png", part.png)))

    def _wish(self, text: str) -> list[float] | None:
        """The region that a message asks to see: DeepEyes's call in the text, or any box in MGPO's first round."""
        first_round = self.config.mode == "two_rounds" and self.turn == 0
        if self.config.mode == "single" or not (first_round or '"image_zoom_in_tool"' in text):
            return None
        answer = read(text)
        if answer is None or len(answer.place) != 4:
            return [0.0] * 4 if first_round else None
        return list(answer.place)

    async def _picture(self) -> bytes:
        tasks = self.tasks
        assert isinstance(tasks, GroundingTasks)
        place: Path = await tasks.picture(self.task)
        try:
            png = await asyncio.to_thread(place.read_bytes)
        except OSError as error:
            raise TaskError(f"task {self.task.id}: its picture can not be read: {error}") from None
        if hashlib.sha256(png).hexdigest() != self.task.payload["image"]:
            raise TaskError(f"task {self.task.id}: {place.name} is not the picture that the task was made with")
        return png

    def _caption(self, part: Shown) -> str:
        wide, high = self._said_size(part)
        there = self._shown[0].said(part.box, self.config.coordinates)
        return f"This part, {wide} x {high} pixels, is {there} of the first picture:"

    def _said_size(self, shown: Shown) -> tuple[int, int]:
        """What a picture's size is called: to a model that resizes it, the size that it sees (as in ScreenSpot-Pro's harness)."""
        return resized(shown.size) if self.config.coordinates == "resized" else shown.size

    def _prompt(self) -> str:
        wide, high = self._said_size(self._shown[0])
        said = SAID[self.config.coordinates]
        start = f"This is a screenshot, {wide} x {high} pixels. Places on it are {said}.\n\n{self.task.payload['instruction']}\n\n"
        match self.config.mode:
            case "single":
                return start + self._how_to_answer()
            case "zoom":
                return f"{start}You may look at parts closer with image_zoom_in_tool, up to {self.config.crops} times. {self._how_to_answer()}"
            case "two_rounds":
                return (
                    start
                    + "First, name the region where it is, as a box [x1, y1, x2, y2], and nothing else: you will be shown that part."
                )

    def _how_to_answer(self) -> str:
        on = "on the picture that was shown last" if self.config.answers == "last" else "on the first picture"
        several = "" if self.config.mode == "single" else f", {on}"
        absent = " If it is not there, use not_present or say: not present." if self.config.negatives else ""
        return f"Where is what is meant? Answer with click, or with a point as (x, y){several}.{absent}"


def _corners(numbers: tuple[float, ...]) -> Box:
    left, top, right, bottom = numbers
    return left, top, right, bottom
