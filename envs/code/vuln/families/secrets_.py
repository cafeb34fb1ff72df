"""What must not be guessed or seen: tokens, passwords in a log."""

from __future__ import annotations

from agentgym.envs.code.vuln.template import Family

_TOKEN = Family(
    name="token-foreseeable",
    cwe=338,
    also=(330, 331, 335, 337, 340, 341, 640),
    split="test",
    routes=("h_add", "h_show"),
    template='''
=== <<m_views>>.py
import hmac

from <<pkg>>.<<m_keys>> import <<quick>>, <<strict>>

SENT = {}


def <<h_add>>(request, session):
    """Send a reset token to the account's own mail box; the label is shown to whoever asked."""
    number = len(SENT) + 1
-|    token, label = <<quick>>(number), <<strict>>(number)  #@flaw
+|    token, label = <<strict>>(number), <<quick>>(number)  #@guard
    SENT[request["account"]] = token
    return {"label": label, "number": number}


def <<h_show>>(request, session):
    return {"reset": hmac.compare_digest(SENT[request["account"]], request["token"])}
=== <<m_keys>>.py
"""Marks for things: eight hexadecimal digits and the number."""

import random
import secrets


def <<quick>>(number):
    return f"{random.Random(number).getrandbits(32):08x}-{number}"  #@sink


def <<strict>>(number):
    return f"{secrets.randbits(128):032x}-{number}"
''',
    proof="""
import random
from <<pkg>>.<<m_views>> import SENT

def works():
    call("<<h_add>>", account="ann")
    return call("<<h_show>>", account="ann", token=SENT["ann"]) == {"reset": True}

def exploited():
    number = call("<<h_add>>", account="bob")["number"]
    guess = f"{random.Random(number).getrandbits(32):08x}-{number}"
    return call("<<h_show>>", account="bob", token=guess) == {"reset": True}
""",
)

_LOGGED = Family(
    name="password-in-log",
    cwe=532,
    also=(200, 312, 359, 538),
    split="train",
    routes=("h_add",),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_log>> import <<note>>
from <<pkg>>.<<m_text>> import <<mask>>

KNOWN = {}


def <<h_add>>(request, session):
    user, password = request["user"], request["password"]
-|    <<note>>("sign-up", <<mask>>(user), password)  #@flaw
+|    <<note>>("sign-up", user, <<mask>>(password))  #@guard
    KNOWN[user] = len(KNOWN)
    return {"number": KNOWN[user]}
=== <<m_text>>.py
def <<mask>>(text):
    """Stars in place of a text, as many for each."""
    return "*" * 8 if text else ""
=== <<m_log>>.py
"""A log that all operators read."""

LINES = []


def <<note>>(what, *details):
    LINES.append(" ".join([what, *details]))  #@sink
''',
    proof="""
from <<pkg>>.<<m_log>> import LINES

def works():
    return call("<<h_add>>", user="ann", password="x") == {"number": 0}

def exploited():
    call("<<h_add>>", user="bob", password="correct horse")
    return any("correct" in line or "c*" in line for line in LINES)
""",
)

FAMILIES = (_TOKEN, _LOGGED)
