"""Who may do what: handlers without a check, records of others, fields that are not the client's, sessions that stay."""

from __future__ import annotations

from agentgym.envs.code.vuln.template import Family

_UNGUARDED = Family(
    name="handler-unguarded",
    cwe=862,
    also=(284, 285, 306, 863),
    split="train",
    routes=("h_remove", "h_count"),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_gate>> import <<guarded>>, <<logged>>
from <<pkg>>.<<m_store>> import <<pick>>, <<count>>


def removing(request, session):
    return {"removed": <<pick>>(request["id"])}


def counting(request, session):
    return {"count": <<count>>()}


-|<<h_remove>> = <<logged>>(removing)  #@flaw
-|<<h_count>> = <<guarded>>(counting)
+|<<h_remove>> = <<guarded>>(removing)  #@guard
+|<<h_count>> = <<logged>>(counting)
=== <<m_gate>>.py
"""Wrappers for handlers. Only admins may change what is kept."""

CALLS = []


def <<guarded>>(handler):
    def checked(request, session):
        CALLS.append(handler.__name__)
        if session.get("role") != "admin":
            raise PermissionError("for admins only")
        return handler(request, session)

    return checked


def <<logged>>(handler):
    def called(request, session):
        CALLS.append(handler.__name__)
        return handler(request, session)

    return called
=== <<m_store>>.py
RECORDS = {"1": "first", "2": "second"}


def <<pick>>(id):
    return RECORDS.pop(id)  #@sink


def <<count>>():
    return len(RECORDS)
''',
    proof="""
from <<pkg>>.<<m_store>> import RECORDS

def works():
    admin = {"user": "ann", "role": "admin"}
    return call("<<h_count>>", admin) == {"count": 2} and call("<<h_remove>>", admin, id="1") == {"removed": "first"}

def exploited():
    attempt("<<h_remove>>", {"user": "bob", "role": "reader"}, id="2")
    return "2" not in RECORDS
""",
)

_OTHERS = Family(
    name="record-of-others",
    cwe=639,
    also=(284, 285, 287, 290, 566, 807, 862, 863),
    split="validation",
    routes=("h_show",),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_log>> import <<note>>
from <<pkg>>.<<m_store>> import <<find>>


def <<h_show>>(request, session):
-|    <<note>>(request["id"], session["user"])
-|    record = <<find>>(request["id"], request["user"])  #@flaw
+|    <<note>>(request["id"], request["user"])
+|    record = <<find>>(request["id"], session["user"])  #@guard
    return {"text": record["text"]}
=== <<m_log>>.py
LINES = []


def <<note>>(id, user):
    LINES.append(f"{user!r} reads {id!r}")
=== <<m_store>>.py
"""The <<noun>>s, each for its owner alone."""

RECORDS = {
    "1": {"owner": "ann", "text": "for ann"},
    "2": {"owner": "bob", "text": "for bob"},
}


def <<find>>(id, user):
    record = RECORDS[id]
    if record["owner"] != user:
        raise PermissionError("not yours")
    return record  #@sink
''',
    proof="""
def works():
    return call("<<h_show>>", {"user": "ann"}, id="1", user="ann") == {"text": "for ann"}

def exploited():
    return call("<<h_show>>", {"user": "ann"}, id="2", user="bob") == {"text": "for bob"}
""",
)

_FIELDS = Family(
    name="fields-of-ours",
    cwe=915,
    also=(269, 284, 285, 863, 913),
    split="train",
    routes=("h_edit", "h_show"),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_store>> import USERS, <<update>>
from <<pkg>>.<<m_text>> import EDITED, SHOWN, <<pick>>


def <<h_edit>>(request, session):
-|    changes = <<pick>>(request["changes"], SHOWN)  #@flaw
+|    changes = <<pick>>(request["changes"], EDITED)  #@guard
    <<update>>(session["user"], changes)
    return {"changed": sorted(changes)}


def <<h_show>>(request, session):
-|    return <<pick>>(USERS[session["user"]], EDITED)
+|    return <<pick>>(USERS[session["user"]], SHOWN)
=== <<m_text>>.py
"""The fields of a profile. `role` is what the gate goes by."""

EDITED = ("name", "city")
SHOWN = ("name", "city", "role")


def <<pick>>(data, fields):
    return {field: data[field] for field in fields if field in data}
=== <<m_store>>.py
USERS = {"ann": {"name": "Ann", "city": "Ulm", "role": "reader"}}


def <<update>>(user, changes):
    USERS[user].update(changes)  #@sink
''',
    proof="""
from <<pkg>>.<<m_store>> import USERS

def works():
    call("<<h_edit>>", {"user": "ann"}, changes={"city": "Bern"})
    return call("<<h_show>>", {"user": "ann"})["city"] == "Bern"

def exploited():
    call("<<h_edit>>", {"user": "ann"}, changes={"role": "admin"})
    return USERS["ann"]["role"] == "admin"
""",
)

_EXPIRY = Family(
    name="session-renewed-first",
    cwe=613,
    also=(287, 384, 672),
    split="test",
    routes=("h_show",),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_gate>> import <<check>>
from <<pkg>>.<<m_store>> import RECORDS


def <<h_show>>(request, session):
    user = <<check>>(request["token"])
    return {"text": RECORDS[user]}
=== <<m_gate>>.py
"""Sessions by token, which end after half an hour without a request."""

import time

IDLE = 1800
OPENED = {}


def <<touch>>(token):
    OPENED[token]["seen"] = time.monotonic()


def <<current>>(token):
    if time.monotonic() - OPENED[token]["seen"] > IDLE:
        raise PermissionError("this session has ended")


def <<check>>(token):
-|    <<touch>>(token)  #@flaw
-|    <<current>>(token)
+|    <<current>>(token)  #@guard
+|    <<touch>>(token)
    return OPENED[token]["user"]  #@sink
=== <<m_store>>.py
RECORDS = {"ann": "for ann"}
''',
    proof="""
import time
from <<pkg>>.<<m_gate>> import OPENED

def works():
    OPENED["t1"] = {"user": "ann", "seen": time.monotonic() - 60}
    return call("<<h_show>>", token="t1") == {"text": "for ann"}

def exploited():
    OPENED["t2"] = {"user": "ann", "seen": time.monotonic() - 7200}
    return call("<<h_show>>", token="t2") == {"text": "for ann"}
""",
)

FAMILIES = (_UNGUARDED, _OTHERS, _FIELDS, _EXPIRY)
