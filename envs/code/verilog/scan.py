"""What a submitted module may not hold: all that reaches out of a simulated circuit. A filter of text, not a parser.

Icarus itself refuses what is no Verilog; here comments and strings are blanked, and what is left is searched.
"""

from __future__ import annotations

import re

_BLANK = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
_SYSTEM = re.compile(r"\$\s*[A-Za-z_$][\w$]*")
_DIRECTIVE = re.compile(r"`\s*(\w*)")
_PATH = re.compile(r"([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)?\.\s*[A-Za-z_\\]")
_LABEL = re.compile(r"begin\s*:\s*([A-Za-z_]\w*)")
_WORDS = re.compile(r"\b(?:config|library|include|defparam|bind|force|release|specify|import|export)\b")
_FUNCTIONS = {"$signed", "$unsigned", "$clog2"}
_DIRECTIVES = {"timescale", "default_nettype"}


def forbidden(source: str) -> list[str]:
    """What in `source` is not allowed, each once."""
    if "\0" in source or "\\" in _BLANK.sub(" ", source):
        return ["an escaped identifier or a NUL character"]
    text = _BLANK.sub(" ", source)
    found = [name for name in _SYSTEM.findall(text) if name not in _FUNCTIONS]
    found += [f"`{name}" for name in _DIRECTIVE.findall(text) if name not in _DIRECTIVES]
    labels = set(_LABEL.findall(text))
    found += [f"the name {match[0].strip()}..." for match in _PATH.finditer(text) if match[1] not in labels]
    found += _WORDS.findall(text)
    return list(dict.fromkeys(found))
