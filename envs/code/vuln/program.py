"""A whole program with one weakness, or its repaired twin, drawn from a seed; and the truth about it. Pure.

Both twins of a seed have the same names, files, order and decoys; `tests` check that they are made of the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from agentgym.envs.code.vuln import decoys
from agentgym.envs.code.vuln.names import Names
from agentgym.envs.code.vuln.template import Family, Place, render, split_files
from agentgym.seeds import derive_seed

_APP = '''"""Where a request comes in: `handle` answers it.

`request` is what the client sent. `session` was set up by the server beforehand.
"""

%(imports)s

ROUTES = {
%(routes)s
}


def handle(request, session):
    return ROUTES[request["route"]](request, session)
'''


@dataclass(slots=True, frozen=True)
class Program:
    """files: texts by path. places: the marked lines. proof: see `proof.py`; it never reaches an agent."""

    family: str
    language: str
    vulnerable: bool
    files: dict[str, str]
    places: tuple[Place, ...]
    proof: str


def build(family: Family, seed: int, vulnerable: bool) -> Program:
    """The program of a family and a seed, flawed or repaired."""
    names, rng = (
        Names(Random(derive_seed("names", family.name, seed))),
        Random(derive_seed("layout", family.name, seed)),
    )
    if family.language == "c":
        rendered = render(split_files(family.template), names, vulnerable, None)
        return Program(
            *(family.name, "c", vulnerable, rendered.files, tuple(rendered.places)), names.fill(family.proof)
        )
    package = names["pkg"]
    sources = {f"{package}/{name}": text for name, text in split_files(family.template).items()}
    routes = [(names["m_views"], names[handler]) for handler in family.routes]
    for handler, files in decoys.drawn(rng).items():
        sources |= {f"{package}/{name}": text for name, text in files.items()}
        routes += [(names.fill(name).removesuffix(".py"), names.fill(handler)) for name in files]
    rng.shuffle(routes)
    rendered = render(sources, names, vulnerable, rng)
    imports = "\n".join(f"from {package}.{module} import {handler}" for module, handler in sorted(routes))
    table = "\n".join(f'    "{handler}": {handler},' for _, handler in routes)
    files = {
        f"{package}/__init__.py": "",
        f"{package}/{names['m_app']}.py": _APP % {"imports": imports, "routes": table},
        **rendered.files,
    }
    proof = names.fill(f"from <<pkg>>.<<m_app>> import handle\n{family.proof}")
    return Program(family.name, "python", vulnerable, dict(sorted(files.items())), tuple(rendered.places), proof)
