"""The words of a program: what its package, modules, functions and things are called, drawn from a seed. No code here."""

from __future__ import annotations

import re
from random import Random

from agentgym.errors import TaskError

_NOUNS = (
    *("invoice", "report", "photo", "ticket", "recipe", "parcel", "lesson", "ledger", "sample", "booking", "poster"),
    *("permit", "voucher", "memo", "sketch", "survey", "chapter", "receipt", "course", "garden", "track", "badge"),
)
_PACKAGES = ("desk", "harbour", "atlas", "pantry", "studio", "orchard", "beacon", "quarry", "lantern", "mill", "kiosk")

_POOLS = {
    # modules
    "m_app": "app main service entry server",
    "m_views": "views handlers endpoints web actions pages",
    "m_store": "store storage records archive shelf keeper",
    "m_text": "text names inputs parsing forms fields",
    "m_run": "runner commands jobs worker shell_tools",
    "m_net": "net fetching remote client gateway",
    "m_keys": "keys tokens seals stamps codes",
    "m_gate": "gate access rules wrappers policy",
    "m_log": "journal log trail notes diary",
    "m_doc": "documents markup layout reader rendering",
    # handlers, which are also the names of routes
    "h_show": "show_{noun} open_{noun} get_{noun} view_{noun} {noun}_page",
    "h_list": "list_{noun}s all_{noun}s {noun}s_by index_{noun}s",
    "h_edit": "edit_{noun} change_{noun} update_{noun} set_{noun}",
    "h_add": "add_{noun} new_{noun} submit_{noun} post_{noun}",
    "h_remove": "remove_{noun} delete_{noun} drop_{noun} discard_{noun}",
    "h_count": "count_{noun}s {noun}_total number_of_{noun}s tally_{noun}s",
    "h_about": "about_{noun}s {noun}_help {noun}_info terms_of_{noun}s",
    # functions
    "load": "load read_{noun} fetch_text take contents_of slurp",
    "put": "put write_{noun} keep deposit place",
    "release": "release give_back let_go done_with dispose",
    "put_new": "put_once write_first keep_new deposit_new place_new",
    "find": "find look_up select_{noun} pick_{noun} locate",
    "check": "check vetted accept require approve validated",
    "prepare": "prepare normalised tidy canonical as_given cleaned",
    "listing": "listing rows_of query selection entries",
    "run": "run execute launch call_out perform",
    "count": "count matches_in hits occurrences tally",
    "escape": "escape doubled literal protect shield",
    "signed": "signed genuine authentic mark_fits sealed",
    "dump": "dump packed freeze wrap_up encoded",
    "plain": "plain simple direct as_is ordinary",
    "strict": "strict careful thorough exact narrow",
    "quick": "quick short_code mark_of label_for tag_of",
    "note": "note record_line remember trace log_line",
    "get": "get request_once one_hop ask visit",
    "fetch": "fetch retrieve download pull bring",
    "page": "page render sheet layout_of compose",
    "convert": "convert parse_value as_value interpret read_value",
    "pick": "pick only subset restrict filtered",
    "update": "update apply_changes merge store_fields write_fields",
    "touch": "touch refresh seen_now renew keep_alive",
    "current": "current still_open alive fresh_enough within_time",
    "mask": "mask hidden stars obscured blanked",
    "guarded": "guarded for_admins restricted staff_only locked",
    "logged": "logged counted timed_call traced observed",
    # what stands beside the matter
    "x_date": "almanac calendar_page timing hours days",
    "x_words": "greetings phrases mottos banners captions",
    "x_sums": "figures numbers statistics totals counters",
    "x_static": "leaflets sheets_of_help texts_of_ours notices manuals",
    "x_draft": "drafts copies blanks samples_of_ours patterns",
    "x_search": "finder highlights matching scan_of_text marks",
    "x_tag": "tags checks_of_text digests versions etags",
    "x_units": "units measures scales weights lengths",
    # variables and literals
    "field": "name title label subject key",
    "word": "amber cobalt maple onyx pearl quartz saffron teal umber violet",
}
_PLACEHOLDER = re.compile(r"<<(\w+)>>")


class Names:
    """One drawing of names: `fill` replaces every `<<placeholder>>`; no two placeholders share a word."""

    def __init__(self, rng: Random) -> None:
        noun = rng.choice(_NOUNS)
        self._rng = rng
        self._drawn = {"noun": noun, "Noun": noun.capitalize(), "NOUN": noun.upper(), "pkg": rng.choice(_PACKAGES)}
        self._taken = set(self._drawn.values())

    def __getitem__(self, placeholder: str) -> str:
        if placeholder not in self._drawn:
            if placeholder not in _POOLS:
                raise TaskError(f"a template uses the placeholder {placeholder!r}, which names.py does not know")
            words = [word.format(noun=self._drawn["noun"]) for word in _POOLS[placeholder].split()]
            word = self._rng.choice([word for word in words if word not in self._taken])
            self._drawn[placeholder] = word
            self._taken.add(word)
        return self._drawn[placeholder]

    def fill(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: self[match[1]], text)
