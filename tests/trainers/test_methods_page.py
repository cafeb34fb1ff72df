"""docs/methods.md names what is there: every file, and in it every name; and every method that can be chosen is on it."""

import re
import sys
from pathlib import Path

from agentgym.trainers.advantages import ESTIMATORS
from agentgym.trainers.controllers import CONTROLLERS
from agentgym.trainers.losses import POLICY_LOSSES
from agentgym.trainers.samplers import FILTRATIONS, SAMPLERS
from agentgym.trainers.shaping import SHAPERS, STATEFUL

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "methods.md").read_text()
BUILT = PAGE[PAGE.index("## Built") : PAGE.index("## Not built")]
CODE = re.compile(r"`([^`]+)`")


def source(name: str) -> str:
    path = ROOT / name if name.startswith("agentgym/") else ROOT / "trainers" / name
    return path.read_text()


def rows() -> list[tuple[str, list[str], list[str]]]:
    cells = [re.split(r"(?<!\\) \| ", line.strip("| \n")) for line in BUILT.splitlines() if line.startswith("| ")]
    return [(cell[0], CODE.findall(cell[1]), CODE.findall(cell[2])) for cell in cells[2:]]


def test_every_name_is_in_the_file_beside_it():
    assert len(rows()) > 20
    for method, files, names in rows():
        text = "".join(source(file) for file in files)
        for name in names:
            if "=" not in name:
                assert re.search(rf"(def|class) {name}\b", text), (method, name)


def test_every_method_that_can_be_chosen_is_on_the_page():
    group = (ROOT / "trainers" / "advantages" / "group.py").read_text()
    for name in [*ESTIMATORS, *POLICY_LOSSES, *SHAPERS, *SAMPLERS]:
        assert f"`{name}`" in BUILT or f"def {name}(" in group or name == "uniform", name
    for name in [*CONTROLLERS, *FILTRATIONS, *STATEFUL]:
        assert f"`{name}`" in PAGE, name


def test_every_method_names_its_source():
    """In its own docstring, or in that of its file."""
    for name, method in {**ESTIMATORS, **POLICY_LOSSES, **SHAPERS}.items():
        said = f"{method.__doc__} {sys.modules[method.__module__].__doc__}"
        assert re.search(r"arXiv \d{4}\.\d{5}|Trinity-RFT|Ours", said), name
