"""The element table: what one look at a page gave. Values only: making it is `page.js`'s, writing it out `render`'s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_ROLES = (
    "button link textbox searchbox checkbox radio slider spinbutton combobox listbox option menuitem menuitemcheckbox "
    "menuitemradio tab treeitem switch Date InputTime ColorWell DateTime FileUpload DisclosureTriangle Canvas gridcell"
)
ACTIVE = frozenset(_ROLES.split())


@dataclass(slots=True, frozen=True)
class Element:
    """One row. `box`: x, y, width, height in CSS pixels of the viewport. `colour`: of shapes and of what has no text.

    `ref` names the element for actions as long as its document lives; a text's is that of the element around it.
    """

    depth: int
    ref: int
    role: str
    name: str
    value: str | None
    states: tuple[str, ...]
    box: tuple[int, int, int, int]
    colour: str

    @property
    def active(self) -> bool:
        """Whether it is made to be acted on."""
        return self.role in ACTIVE or "clickable" in self.states


@dataclass(slots=True, frozen=True)
class Look:
    """A page as it was at one moment. `size`: width and height of the viewport, then of the page. `cut`: rows left out."""

    url: str
    title: str
    elements: tuple[Element, ...]
    cut: bool
    scroll: tuple[int, int]
    size: tuple[int, int, int, int]

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Look:
        """From what `page.js` returned."""
        rows = tuple(
            Element(depth, ref, role, name, value, tuple(states), tuple(box), colour)
            for depth, ref, role, name, value, states, box, colour in raw["rows"]
        )
        return cls(raw["url"], raw["title"], rows, raw["cut"], tuple(raw["scroll"]), tuple(raw["size"]))

    def in_view(self, element: Element) -> bool:
        """Whether any part of it is in the viewport (something may cover it all the same)."""
        x, y, width, height = element.box
        return x + width > 0 and y + height > 0 and x < self.size[0] and y < self.size[1]
