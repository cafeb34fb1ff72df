"""Files: names that lead out of a folder, files that are kept as something else, files that others can plant."""

from __future__ import annotations

from agentgym.envs.code.vuln.template import Family

_DECODED_NAME = Family(
    name="path-decoded-late",
    cwe=22,
    also=(23, 36, 73, 172, 179, 180),
    split="train",
    routes=("h_show",),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_store>> import <<load>>
from <<pkg>>.<<m_text>> import <<prepare>>


def <<h_show>>(request, session):
    name = <<prepare>>(request["<<field>>"])
    return {"text": <<load>>(name)}
=== <<m_text>>.py
"""Names that clients send. They may be percent-encoded."""

from urllib.parse import unquote


def <<check>>(name):
    if name.startswith("/") or ".." in name.split("/"):
        raise ValueError("this name is not allowed")
    return name


def <<prepare>>(name):
-|    name = <<check>>(name)  #@flaw
-|    name = unquote(name)
+|    name = unquote(name)
+|    name = <<check>>(name)  #@guard
    return name
=== <<m_store>>.py
"""The <<noun>> files, one a name."""

import os

ROOT = "data"


def <<load>>(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:  #@sink
        return file.read()
''',
    proof="""
write("data/a b.txt", "plain")
write("secret.txt", "hidden")

def works():
    return call("<<h_show>>", <<field>>="a%20b.txt") == {"text": "plain"}

def exploited():
    return call("<<h_show>>", <<field>>="%2e%2e/secret.txt") == {"text": "hidden"}
""",
)

_UNCONFINED_CALL = Family(
    name="path-unconfined-call",
    cwe=22,
    also=(23, 36, 73),
    split="train",
    routes=("h_show", "h_about"),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_store>> import <<load>>

FOLDER = "data"


def <<h_show>>(request, session):
-|    return {"text": <<load>>(FOLDER, request["<<field>>"], False)}  #@flaw
+|    return {"text": <<load>>(FOLDER, request["<<field>>"], True)}  #@guard


def <<h_about>>(request, session):
-|    return {"text": <<load>>(FOLDER, "about.txt", True)}
+|    return {"text": <<load>>(FOLDER, "about.txt", False)}
=== <<m_store>>.py
"""Reading <<noun>> files."""

import os


def <<load>>(folder, name, confined):
    path = os.path.realpath(os.path.join(folder, name))
    if confined and not path.startswith(os.path.realpath(folder) + os.sep):
        raise ValueError("outside of the folder")
    with open(path, encoding="utf-8") as file:  #@sink
        return file.read()
''',
    proof="""
write("data/a.txt", "plain")
write("data/about.txt", "about")
write("secret.txt", "hidden")

def works():
    return call("<<h_show>>", <<field>>="a.txt") == {"text": "plain"} and call("<<h_about>>") == {"text": "about"}

def exploited():
    return call("<<h_show>>", <<field>>="../secret.txt") == {"text": "hidden"}
""",
)

_UPLOAD = Family(
    name="upload-by-ending",
    cwe=434,
    also=(178, 179, 184, 646),
    split="validation",
    routes=("h_add",),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_store>> import <<put>>
from <<pkg>>.<<m_text>> import <<prepare>>


def <<h_add>>(request, session):
    name = <<prepare>>(request["<<field>>"])
    return {"stored": <<put>>(name, request["body"])}
=== <<m_text>>.py
"""Names of uploads. The web server renders or runs exactly what `FORBIDDEN` names; all else it sends as plain data."""

import os

FORBIDDEN = (".cgi", ".htm", ".html", ".js", ".mjs", ".php", ".shtml", ".svg", ".xhtml", ".xml")


def <<check>>(name):
    if name.endswith(FORBIDDEN):
        raise ValueError("this kind of file is not allowed")
    return name


def <<prepare>>(name):
    name = os.path.basename(name).strip()
-|    name = <<check>>(name)  #@flaw
-|    name = name.lower()
+|    name = name.lower()
+|    name = <<check>>(name)  #@guard
    return name
=== <<m_store>>.py
import os

PUBLIC = "public"


def <<put>>(name, body):
    os.makedirs(PUBLIC, exist_ok=True)
    with open(os.path.join(PUBLIC, name), "w", encoding="utf-8") as file:  #@sink
        file.write(body)
    return name
''',
    proof="""
import os

def works():
    return call("<<h_add>>", <<field>>="Notes.TXT", body="x") == {"stored": "notes.txt"}

def exploited():
    for name in ("Page.HTML", ".html", "page.html ", "page.html"):
        attempt("<<h_add>>", <<field>>=name, body="<script>")
    return any(name.endswith(".html") for name in os.listdir("public"))
""",
)

_PLANTED_FILE = Family(
    name="write-in-shared-folder",
    cwe=377,
    also=(59, 61, 362, 367, 379, 668),
    split="train",
    routes=("h_add",),
    template="""
=== <<m_views>>.py
import uuid

from <<pkg>>.<<m_store>> import <<put>>, <<put_new>>

SPOOL = "spool"  # on every machine of ours anybody may write here
OWN = "own"  # only this program may


def <<h_add>>(request, session):
    number = uuid.uuid4().hex
-|    <<put>>(SPOOL, session["user"], request["text"])  #@flaw
-|    <<put_new>>(OWN, number, request["text"])
+|    <<put_new>>(SPOOL, session["user"], request["text"])  #@guard
+|    <<put>>(OWN, number, request["text"])
    return {"number": number}
=== <<m_store>>.py
import os


def <<put>>(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:  #@sink
        file.write(text)


def <<put_new>>(folder, name, text):
    path = os.path.join(folder, name)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
""",
    proof="""
import os
os.mkdir("spool")
os.mkdir("own")
write("victim.txt", "precious")

def works():
    call("<<h_add>>", {"user": "ann"}, text="mine")
    return read("spool/ann") == "mine"

def exploited():
    os.symlink("../victim.txt", "spool/bob")
    attempt("<<h_add>>", {"user": "bob"}, text="spoiled")
    return read("victim.txt") == "spoiled"
""",
)

FAMILIES = (_DECODED_NAME, _UNCONFINED_CALL, _UPLOAD, _PLANTED_FILE)
