"""How each parser is called with an input, and in which module its branches are counted. Runs in boxes, standard library only.

The text of this file is shown to agents and runs before `inbox.py`, in one program.  A harness takes text and lets
what the parser raises pass.
"""

from __future__ import annotations

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def parse_json(text: str) -> None:
    from json import decoder, scanner

    for strict in (True, False):
        parser = decoder.JSONDecoder(strict=strict)
        parser.parse_string = decoder.py_scanstring  # type: ignore[attr-defined]
        parser.scan_once = scanner.py_make_scanner(parser)  # type: ignore[attr-defined]
        parser.decode(text)


def parse_ini(text: str) -> None:
    import configparser

    for interpolation in (configparser.BasicInterpolation(), configparser.ExtendedInterpolation()):
        parser = configparser.ConfigParser(allow_no_value=True, interpolation=interpolation)
        parser.read_string(text)
        for section in parser.sections():
            for name in parser.options(section):
                parser.get(section, name)


def parse_html(text: str) -> None:
    from html.parser import HTMLParser

    for convert in (False, True):
        parser = HTMLParser(convert_charrefs=convert)
        parser.feed(text)
        parser.close()


def parse_shell_words(text: str) -> None:
    import shlex

    for posix, punctuation in ((True, False), (True, True), (False, False)):
        lexer = shlex.shlex(text, posix=posix, punctuation_chars=punctuation)
        lexer.source = "source"
        lexer.sourcehook = lambda name: (name, io.StringIO("sourced"))  # type: ignore
        list(lexer)


def parse_cookies(text: str) -> None:
    from http.cookies import SimpleCookie

    SimpleCookie(text).output()


def parse_toml(text: str) -> None:
    import tomllib

    tomllib.loads(text)


def parse_netrc(text: str) -> None:
    import netrc
    import tempfile

    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        repr(netrc.netrc(file.name))


def parse_address(text: str) -> None:
    import ipaddress

    network = ipaddress.ip_network(text.strip(), strict=False)
    interface = ipaddress.ip_interface(text.strip())
    str(interface), network.num_addresses, interface.is_private, interface.is_global, interface.reverse_pointer


def parse_url(text: str) -> None:
    """Lines: a base, then addresses to join to it, then their queries."""
    from urllib import parse

    base, *rest = text.split("\n")
    for line in rest or [base]:
        whole = parse.urljoin(base, line)
        parts = parse.urlsplit(whole)
        repr((parts.port, parts.username, parts.hostname))
        parse.urlparse(whole)
        parse.parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query), max_num_fields=5)
        parse.unquote(parts.path)


def parse_template(text: str) -> None:
    import string

    template = string.Template(text)
    template.get_identifiers()
    template.safe_substitute(name="x")
    string.Formatter().format(text, "zero", [1, 2], name="x", point=3 + 4j)


def parse_time(text: str) -> None:
    """Two lines: a format, and a time in it."""
    import _strptime  # type: ignore[import-not-found]

    form, _, value = text.partition("\n")
    _strptime._strptime(value, form)


def parse_mail(text: str) -> None:
    import email
    from email import policy

    message = email.message_from_string(text, policy=policy.default)
    for name, value in message.items():
        str(name), str(value)
    for part in message.walk():
        part.get_content_type(), part.defects


def parse_plist(text: str) -> None:
    import plistlib

    plistlib.dumps(plistlib.loads(text.encode("utf-8", "surrogateescape")))


def parse_decimal(text: str) -> None:
    """A number, and a format for it on a second line."""
    import _pydecimal

    number, _, form = text.partition("\n")
    value = _pydecimal.Decimal(number)
    format(value, form), value.to_eng_string(), value.normalize(), hash(value)


def parse_regex(text: str) -> None:
    from re import _parser  # type: ignore[attr-defined]

    pattern, _, replacement = text.partition("\n")
    parsed = _parser.parse(pattern)
    parsed.getwidth()
    if replacement:
        import re

        _parser.parse_template(replacement, re.compile(pattern))


def parse_doctest(text: str) -> None:
    import doctest

    doctest.DocTestParser().get_examples(text, "it")


def parse_zone(text: str) -> None:
    from zoneinfo import _zoneinfo  # type: ignore[attr-defined]

    rule = _zoneinfo._parse_tz_str(text)
    if hasattr(rule, "transitions"):
        start, end = rule.transitions(2024)
        for moment in (start - 1, start, end, end + 1):
            rule.get_trans_info(moment, 2024, 0), rule.get_trans_info(moment, 2024, 1)
            rule.get_trans_info_fromutc(moment, 2024)


def parse_robots(text: str) -> None:
    from urllib.robotparser import RobotFileParser

    parser = RobotFileParser("http://a.example/robots.txt")
    parser.parse(text.split("\n"))
    for agent in ("fig", "other"):
        (
            parser.can_fetch(agent, "http://a.example/private/page?x=1"),
            parser.crawl_delay(agent),
            parser.request_rate(agent),
        )
    parser.site_maps(), str(parser)


def parse_table(text: str) -> None:
    import csv

    csv.Sniffer().sniff(text)
    csv.Sniffer().has_header(text)


def parse_mailboxes(text: str) -> None:
    """Lines: each is taken for a date and for a list of addresses."""
    from email import _parseaddr  # type: ignore[attr-defined]

    for line in text.split("\n"):
        when = _parseaddr.parsedate_tz(line)
        if when:
            _parseaddr.mktime_tz(when)
        _parseaddr.AddressList(line)


def parse_path(text: str) -> None:
    from xml.etree import ElementTree

    tree = ElementTree.fromstring("<a><b k='1'>x<c/></b><b k='2'><c>y</c></b><d><c/></d></a>")
    tree.findall(text), list(tree.iterfind(text, {"n": "urn:x", "": "urn:y"})), tree.findtext(text)


def parse_cookie_headers(text: str) -> None:
    """Lines: a header each, which is also taken for a time."""
    from http import cookiejar

    jar: Any = cookiejar
    for line in text.split("\n"):
        jar.split_header_words([line])
        jar.parse_ns_headers([line])
        jar.http2time(line), jar.iso2time(line)


HARNESSES: dict[str, tuple[str, Callable[[str], None]]] = {
    "addresses": ("ipaddress", parse_address),
    "cookie-headers": ("http.cookiejar", parse_cookie_headers),
    "cookies": ("http.cookies", parse_cookies),
    "decimals": ("_pydecimal", parse_decimal),
    "doctests": ("doctest", parse_doctest),
    "html": ("html.parser", parse_html),
    "ini": ("configparser", parse_ini),
    "json": ("json.decoder", parse_json),
    "mail-headers": ("email._header_value_parser", parse_mail),
    "mail-parts": ("email.feedparser", parse_mail),
    "mailboxes": ("email._parseaddr", parse_mailboxes),
    "netrc": ("netrc", parse_netrc),
    "paths": ("xml.etree.ElementPath", parse_path),
    "plists": ("plistlib", parse_plist),
    "regexes": ("re._parser", parse_regex),
    "robots": ("urllib.robotparser", parse_robots),
    "shell-words": ("shlex", parse_shell_words),
    "tables": ("csv", parse_table),
    "templates": ("string", parse_template),
    "times": ("_strptime", parse_time),
    "toml": ("tomllib._parser", parse_toml),
    "urls": ("urllib.parse", parse_url),
    "zones": ("zoneinfo._zoneinfo", parse_zone),
}
