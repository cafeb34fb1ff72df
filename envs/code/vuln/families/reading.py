"""Reading what clients send: pickles, Python values, XML with entities, regular expressions."""

from __future__ import annotations

from agentgym.envs.code.vuln.template import Family

_PICKLE = Family(
    name="pickle-before-signature",
    cwe=502,
    also=(345, 347, 353, 913),
    split="train",
    routes=("h_show", "h_add"),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_keys>> import <<dump>>, <<load>>, <<signed>>


def <<h_show>>(request, session):
    body, _, mark = request["state"].partition(".")
-|    state = <<load>>(body)  #@flaw
-|    if not <<signed>>(body, mark):
-|        raise ValueError("this state is not ours")
+|    if not <<signed>>(body, mark):  #@guard
+|        raise ValueError("this state is not ours")
+|    state = <<load>>(body)
    return {"<<field>>": state["<<field>>"]}


def <<h_add>>(request, session):
    return {"state": <<dump>>({"<<field>>": str(request["<<field>>"])})}
=== <<m_keys>>.py
"""State that clients keep for us, signed with a key of this process."""

import base64
import hashlib
import hmac
import os
import pickle

KEY = os.urandom(32)


def <<signed>>(body, mark):
    return hmac.compare_digest(hmac.new(KEY, body.encode(), hashlib.sha256).hexdigest(), mark)


def <<dump>>(value):
    body = base64.b64encode(pickle.dumps(value)).decode()
    return body + "." + hmac.new(KEY, body.encode(), hashlib.sha256).hexdigest()


def <<load>>(body):
    return pickle.loads(base64.b64decode(body))  #@sink
''',
    proof="""
import base64, os, pickle

class Payload:
    def __reduce__(self):
        return os.mkdir, ("taken",)

def works():
    state = call("<<h_add>>", <<field>>="seven")["state"]
    return call("<<h_show>>", state=state) == {"<<field>>": "seven"}

def exploited():
    attempt("<<h_show>>", state=base64.b64encode(pickle.dumps(Payload())).decode() + ".0")
    return os.path.exists("taken")
""",
)

_EVAL = Family(
    name="eval-of-values",
    cwe=95,
    also=(20, 74, 94, 913),
    split="train",
    routes=("h_edit", "h_about"),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_text>> import <<convert>>

LIMIT = "64 * 1024"
DEFAULT = "65536"


def <<h_edit>>(request, session):
-|    return {"value": <<convert>>(request["value"], True)}  #@flaw
+|    return {"value": <<convert>>(request["value"], False)}  #@guard


def <<h_about>>(request, session):
-|    return {"limit": <<convert>>(DEFAULT, False), "formula": LIMIT}
+|    return {"limit": <<convert>>(DEFAULT, True), "formula": LIMIT}
=== <<m_text>>.py
"""Values as text: settings of ours may be formulas."""

import ast


def <<convert>>(text, formula):
    if formula:
        return eval(text)  #@sink
    return ast.literal_eval(text)
''',
    proof="""
import os

def works():
    about = call("<<h_about>>")
    return call("<<h_edit>>", value="[1, 2]") == {"value": [1, 2]} and about["limit"] == 65536

def exploited():
    attempt("<<h_edit>>", value="__import__('os').mkdir('taken')")
    return os.path.exists("taken")
""",
)

_XXE = Family(
    name="xml-entities",
    cwe=611,
    also=(776, 827),
    split="test",
    routes=("h_add", "h_about"),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_doc>> import <<convert>>

HELP = "<help>How to send a <<noun>>.</help>"


def <<h_add>>(request, session):
-|    return {"text": <<convert>>(request["document"], True)}  #@flaw
+|    return {"text": <<convert>>(request["document"], False)}  #@guard


def <<h_about>>(request, session):
-|    return {"text": <<convert>>(HELP, False)}
+|    return {"text": <<convert>>(HELP, True)}
=== <<m_doc>>.py
"""The text of XML documents. Our own may be put together from several files."""

import io
import xml.sax
from xml.sax.handler import ContentHandler, feature_external_ges


class Words(ContentHandler):
    def __init__(self):
        super().__init__()
        self.words = []

    def characters(self, content):
        self.words.append(content)


def <<convert>>(document, parts):
    reader, words = xml.sax.make_parser(), Words()
    reader.setFeature(feature_external_ges, parts)
    reader.setContentHandler(words)
    reader.parse(io.StringIO(document))  #@sink
    return "".join(words.words)
''',
    proof="""
import os
write("secret.txt", "hidden")

def works():
    return call("<<h_add>>", document="<a>plain</a>") == {"text": "plain"} and "send" in call("<<h_about>>")["text"]

def exploited():
    attack = '<!DOCTYPE a [<!ENTITY e SYSTEM "%s">]><a>&e;</a>' % os.path.abspath("secret.txt")
    return call("<<h_add>>", document=attack) == {"text": "hidden"}
""",
)

_REDOS = Family(
    name="regex-backtracking",
    cwe=1333,
    also=(400, 407, 730, 1322),
    split="train",
    routes=("h_add",),
    template='''
=== <<m_views>>.py
from <<pkg>>.<<m_text>> import <<plain>>, <<strict>>

SHELF = "General Shelf"


def <<h_add>>(request, session):
-|    shelf, title = <<plain>>(SHELF), <<strict>>(request["<<field>>"])  #@flaw
+|    shelf, title = <<strict>>(SHELF), <<plain>>(request["<<field>>"])  #@guard
    return {"good": shelf and title}
=== <<m_text>>.py
"""Titles are words with single blanks between them."""

import re

WORDS = re.compile(r"([A-Za-z]+ ?)+$")
LETTERS = re.compile(r"[A-Za-z]+( [A-Za-z]+)*$")


def <<strict>>(text):
    return WORDS.match(text) is not None  #@sink


def <<plain>>(text):
    return LETTERS.match(text) is not None
''',
    proof="""
import signal

def works():
    return call("<<h_add>>", <<field>>="Two Words") == {"good": True}

def exploited():
    class Hangs(Exception):
        pass

    def stop(number, frame):
        raise Hangs

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        call("<<h_add>>", <<field>>="a" * 60 + "!")
    except Hangs:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return False
""",
)

FAMILIES = (_PICKLE, _EVAL, _XXE, _REDOS)
