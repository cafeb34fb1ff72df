"""Devices: screens on which tasks are done, and the tool that each is operated with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DeviceName = Literal["phone", "desktop", "window"]
ToolName = Literal["mobile_use", "computer_use"]


@dataclass(slots=True, frozen=True)
class Device:
    """width, height: in CSS pixels; scale: pixels of the screenshot to one of them."""

    name: DeviceName
    tool: ToolName
    width: int
    height: int
    scale: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """Of a screenshot: width, height."""
        return round(self.width * self.scale), round(self.height * self.scale)


DEVICES: dict[DeviceName, Device] = {
    each.name: each
    for each in (
        Device("phone", "mobile_use", 392, 784),
        Device("desktop", "computer_use", 1288, 728),
        Device("window", "computer_use", 336, 224, 2.0),
    )
}
"""Screenshots have sides that are multiples of 28, so that models of Qwen2-VL's kind see them as they are."""
