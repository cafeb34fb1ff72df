"""What else is in a program: small features that look dangerous and are not. Each is one module with one handler."""

from __future__ import annotations

from random import Random

from agentgym.envs.code.vuln.template import split_files

_DATE = '''
=== <<x_date>>.py
"""The year, as the machine's own tool tells it."""

import subprocess


def <<x_date>>_year(request, session):
    done = subprocess.run(["date", "-u", "+%Y"], capture_output=True, text=True)
    return {"year": int(done.stdout)}
'''

_WORDS = '''
=== <<x_words>>.py
import random

LINES = ("Good to see you.", "One more <<noun>>?", "All is well.")


def <<x_words>>_line(request, session):
    """Any of the lines; which one does not matter."""
    return {"line": random.choice(LINES)}
'''

_SUMS = '''
=== <<x_sums>>.py
"""How often each page was asked for."""

import sqlite3

HITS = sqlite3.connect(":memory:")
HITS.execute("CREATE TABLE hits (page TEXT, number INTEGER)")


def <<x_sums>>_of_page(request, session):
    page = str(request["page"])
    HITS.execute("INSERT INTO hits VALUES (?, ?)", (page, 1))
    rows = HITS.execute("SELECT SUM(number) FROM hits WHERE page = ?", (page,))
    return {"hits": rows.fetchone()[0]}
'''

_STATIC = '''
=== <<x_static>>.py
import os

PAGES = {"terms": "terms.txt", "imprint": "imprint.txt"}


def <<x_static>>_page(request, session):
    """One of our own texts."""
    with open(os.path.join("static", PAGES[request["page"]]), encoding="utf-8") as file:
        return {"text": file.read()}
'''

_DRAFT = '''
=== <<x_draft>>.py
"""Empty <<noun>>s to begin with."""

import pickle

EMPTY = pickle.dumps({"title": "", "lines": [], "kind": "<<noun>>"})


def <<x_draft>>_blank(request, session):
    blank = pickle.loads(EMPTY)
    blank["title"] = str(request["title"])[:80]
    return blank
'''

_SEARCH = '''
=== <<x_search>>.py
import re

TEXT = "A <<noun>> is kept for a year and a day."


def <<x_search>>_in_terms(request, session):
    """Where a word stands in the terms."""
    found = re.search(re.escape(str(request["word"])[:40]), TEXT)
    return {"at": found.start() if found else -1}
'''

_TAG = '''
=== <<x_tag>>.py
import hashlib


def <<x_tag>>_of_text(request, session):
    """A short tag by which a browser knows a text again; it protects nothing."""
    return {"tag": hashlib.md5(str(request["text"]).encode(), usedforsecurity=False).hexdigest()[:8]}
'''

_UNITS = """
=== <<x_units>>.py
from fractions import Fraction

IN_METRES = {"inch": Fraction(254, 10000), "foot": Fraction(3048, 10000), "metre": Fraction(1)}


def <<x_units>>_convert(request, session):
    value = int(request["value"]) * IN_METRES[request["unit"]]
    return {"metres": float(value)}
"""

_DECOYS = {
    "<<x_date>>_year": _DATE,
    "<<x_words>>_line": _WORDS,
    "<<x_sums>>_of_page": _SUMS,
    "<<x_static>>_page": _STATIC,
    "<<x_draft>>_blank": _DRAFT,
    "<<x_search>>_in_terms": _SEARCH,
    "<<x_tag>>_of_text": _TAG,
    "<<x_units>>_convert": _UNITS,
}


def drawn(rng: Random) -> dict[str, dict[str, str]]:
    """Two to four decoys: the files of each by the name of its handler."""
    chosen = rng.sample(sorted(_DECOYS), rng.randint(2, 4))
    return {handler: split_files(_DECOYS[handler]) for handler in chosen}
