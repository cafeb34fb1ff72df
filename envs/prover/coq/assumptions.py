"""What `Print Assumptions` says, as names. Anything that is not understood is kept as a name that nobody allows."""

from __future__ import annotations

import re

CLOSED = "Closed under the global context"
_TITLE = re.compile(r"[A-Z][\w ]*:$")
_REMARK = "Fetching opaque proofs from disk for "
_ENTRY = re.compile(r"([^\W\d][\w'.]*)\s*(?::|$)")


def names(said: str) -> tuple[str, ...]:
    """The assumptions by name, in order. A remark such as "f is assumed to be guarded." comes whole.

    Raises ValueError if nothing was said at all.
    """
    lines = [line for line in said.replace("\xa0", " ").splitlines() if line.strip()]
    if not lines:
        raise ValueError("Print Assumptions said nothing")
    found = []
    for line in lines:
        if line[0] in " :" or line.startswith((CLOSED, _REMARK)) or _TITLE.match(line):
            continue  # the rest of a type, a title, or what it does meanwhile
        entry = _ENTRY.match(line)
        found.append(entry[1] if entry else line.strip())
    return tuple(dict.fromkeys(found))
