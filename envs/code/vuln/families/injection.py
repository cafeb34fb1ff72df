"""Text that becomes language: SQL and shell commands."""

from __future__ import annotations

from agentgym.envs.code.vuln.template import Family

_SQL_COLUMN = Family(
    name="sql-column",
    cwe=89,
    also=(74, 943),
    split="train",
    routes=("h_list",),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_store>> import <<listing>>
from <<pkg>>.<<m_text>> import <<check>>


def <<h_list>>(request, session):
-|    order, column = <<check>>("id"), request["column"]  #@flaw
+|    order, column = "id", <<check>>(request["column"])  #@guard
    return {"rows": <<listing>>(session["user"], column, order)}
=== <<m_text>>.py
COLUMNS = ("id", "<<field>>")


def <<check>>(column):
    if column not in COLUMNS:
        raise ValueError("no such column")
    return column
=== <<m_store>>.py
"""The table of <<noun>>s."""

import sqlite3

DB = sqlite3.connect(":memory:")
DB.execute("CREATE TABLE <<noun>>s (id INTEGER, owner TEXT, <<field>> TEXT, secret TEXT)")


def <<listing>>(owner, column, order):
    rows = DB.execute(f"SELECT {column} FROM <<noun>>s WHERE owner = ? ORDER BY {order}", (owner,))  #@sink
    return [row[0] for row in rows]
''',
    proof="""
from <<pkg>>.<<m_store>> import DB
DB.execute("INSERT INTO <<noun>>s VALUES (1, 'ann', 'first', 'hidden')")

def works():
    return call("<<h_list>>", {"user": "ann"}, column="<<field>>") == {"rows": ["first"]}

def exploited():
    return call("<<h_list>>", {"user": "ann"}, column="secret") == {"rows": ["hidden"]}
""",
)

_SQL_QUOTES = Family(
    name="sql-quoted-early",
    cwe=89,
    also=(74, 116, 943),
    split="train",
    routes=("h_list",),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_store>> import <<listing>>
from <<pkg>>.<<m_text>> import <<prepare>>


def <<h_list>>(request, session):
    return {"rows": <<listing>>(<<prepare>>(request["<<field>>"]))}
=== <<m_text>>.py
"""Search words, as they come in a query string: percent-encoded."""

from urllib.parse import unquote_plus


def <<escape>>(text):
    return text.replace("\\0", "").replace("'", "''")


def <<prepare>>(text):
-|    text = <<escape>>(text)  #@flaw
-|    text = unquote_plus(text)
+|    text = unquote_plus(text)
+|    text = <<escape>>(text)  #@guard
    return text
=== <<m_store>>.py
import sqlite3

DB = sqlite3.connect(":memory:")
DB.execute("CREATE TABLE <<noun>>s (id INTEGER, <<field>> TEXT, public INTEGER)")


def <<listing>>(text):
    rows = DB.execute(f"SELECT id FROM <<noun>>s WHERE public = 1 AND <<field>> = '{text}' ORDER BY id")  #@sink
    return [row[0] for row in rows]
''',
    proof="""
from <<pkg>>.<<m_store>> import DB
DB.execute("INSERT INTO <<noun>>s VALUES (1, 'it''s open', 1), (2, 'closed', 0)")

def works():
    return call("<<h_list>>", <<field>>="it's+open") == {"rows": [1]}

def exploited():
    return call("<<h_list>>", <<field>>="x%27 OR 1=1 --") == {"rows": [1, 2]}
""",
)

_SHELL_WORD = Family(
    name="shell-word",
    cwe=78,
    also=(74, 77, 88),
    split="train",
    routes=("h_count",),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_text>> import <<count>>


def <<h_count>>(request, session):
    return {"count": <<count>>(request["<<field>>"], "data/<<noun>>.log")}
=== <<m_text>>.py
from shlex import quote

from <<pkg>>.<<m_run>> import <<run>>


def <<count>>(pattern, path):
-|    words = ["grep", "-c", "-e", pattern, quote(path)]  #@flaw
+|    words = ["grep", "-c", "-e", quote(pattern), path]  #@guard
    return int(<<run>>(words) or 0)
=== <<m_run>>.py
"""Running the tools of the machine."""

import subprocess


def <<run>>(words):
    done = subprocess.run(" ".join(words), shell=True, capture_output=True, text=True)  #@sink
    return done.stdout.strip()
''',
    proof="""
import os
write("data/<<noun>>.log", "one\\ntwo\\ntwo\\n")

def works():
    return call("<<h_count>>", <<field>>="two") == {"count": 2}

def exploited():
    attempt("<<h_count>>", <<field>>="two data/<<noun>>.log; touch taken; echo")
    return os.path.exists("taken")
""",
)

_SHELL_NORMAL = Family(
    name="shell-normalised-late",
    cwe=78,
    also=(74, 77, 176, 180),
    split="train",
    routes=("h_count",),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_run>> import <<run>>
from <<pkg>>.<<m_text>> import <<prepare>>


def <<h_count>>(request, session):
    return {"size": <<run>>(<<prepare>>(request["<<field>>"]))}
=== <<m_text>>.py
"""Names as people type them: letters of any script, in any of Unicode's forms."""

import unicodedata

SPECIAL = frozenset(" \\t\\n\\r\\0;|&$`<>(){}[]*?!~#'\\"\\\\/.-")


def <<check>>(name):
    if not name or SPECIAL & set(name):
        raise ValueError("a letter of this name is not allowed")
    return name


def <<prepare>>(name):
-|    name = <<check>>(name)  #@flaw
-|    name = unicodedata.normalize("NFKC", name)
+|    name = unicodedata.normalize("NFKC", name)
+|    name = <<check>>(name)  #@guard
    return name
=== <<m_run>>.py
import subprocess


def <<run>>(name):
    done = subprocess.run(f"wc -c < data/{name}", shell=True, capture_output=True, text=True)  #@sink
    return int(done.stdout.split()[0])
''',
    proof="""
import os
write("data/notes", "12345")

def works():
    return call("<<h_count>>", <<field>>="notes") == {"size": 5}

def exploited():
    attempt("<<h_count>>", <<field>>="notes\\uff1btouch\\u3000taken")
    return os.path.exists("taken")
""",
)

FAMILIES = (_SQL_COLUMN, _SQL_QUOTES, _SHELL_WORD, _SHELL_NORMAL)
