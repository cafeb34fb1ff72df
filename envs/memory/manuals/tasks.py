"""Manual tasks: some pages as a stream, questions on their entries with answers that stand there word for word.

A page is in one split only, by the hash of its name.  Payload and secret hold the text: task files made from these sets carry
the pages' licences.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

from agentgym.envs.memory.config import ManualsConfig
from agentgym.envs.memory.generated import StreamTasks
from agentgym.envs.memory.manuals.package import pages
from agentgym.envs.memory.manuals.pages import Entry, Page
from agentgym.envs.memory.manuals.reader import BLANK, note, words
from agentgym.envs.memory.match import UNKNOWN, Question
from agentgym.envs.memory.store import tokens as size_of
from agentgym.errors import TaskError
from agentgym.seeds import content_hash, derive_seed
from agentgym.tasks import Task

ENV = "memory/manuals-v0"
ABOUT = """\
The text is a pile of manual pages, each line beginning with the page's name. Questions are about their entries: options, fields, \
constants, with what is said of them in the first sentence.
Notes are read best as lines of the form: capabilities(7) | CAP_CHOWN | Make arbitrary changes to file UIDs and GIDs."""
_DRAWS = 20
_RARE = 10  # a name is asked for if one of its words is in so few notes that a search must find it
_KINDS = ("entry", "page", "cloze", "abstention")
Found = tuple[int, str, Entry]


class ManualsTasks(StreamTasks):
    """As many tasks as there are ways to choose pages of a split."""

    def __init__(self, config: ManualsConfig, cache: Path) -> None:
        super().__init__(ENV, config.tokens)
        self._questions, self._cache, self._documents = config.questions, cache, config.documents

    def make(self, id: str, split: str, tokens: int, number: int) -> Task:
        library = [page for page in pages(self._cache, self._documents).values() if split_of(page.name) == split]
        for attempt in range(_DRAWS):
            rng = Random(derive_seed("task", ENV, self.version, split, tokens, number, attempt))
            chosen = _choose(rng, list(library), tokens, id)
            lines: list[str] = []
            found: list[Found] = []
            for page in chosen:
                found += [(len(lines) + entry.line, page.name, entry) for entry in page.entries]
                lines += page.lines
            found = _distinct(found)
            text = "\n".join(lines)
            elsewhere = sorted({e.name for page in library for e in page.entries if e.name not in text})
            asked = _ask(rng, found, elsewhere, self._questions)
            if any(question.answerable for question in asked):
                break
        else:
            raise TaskError(f"task {id}: no entries in {_DRAWS} draws of pages; give it more tokens")
        secret = {
            "questions": [question.dump() for question in asked],
            "entries": [[line, page, entry.name, entry.gist] for line, page, entry in found],
        }
        facts = [line for line, _, _ in found]
        least = sum(size_of(note(page, entry.name, entry.gist)) for _, page, entry in found)
        payload = {"about": ABOUT, "lines": lines, "facts": facts, "least": least}
        return Task(id, ENV, payload, secret, split, tuple(sorted(page.name for page in chosen)))


def split_of(page: str) -> str:
    place = int(content_hash(page)[:8], 16) % 10
    return "test" if place == 0 else "validation" if place == 1 else "train"


def _choose(rng: Random, library: list[Page], tokens: int, id: str) -> list[Page]:
    """Pages in a drawn order, of about `tokens` tokens together; the last one is cut, and the first has entries."""
    rng.shuffle(library)
    library.sort(key=lambda page: not page.entries)
    chosen: list[Page] = []
    left = tokens
    for page in library:
        if left <= 0:
            return chosen
        kept: list[str] = []
        for line in page.lines:
            if left <= 0:
                break
            kept.append(line)
            left -= size_of(line)
        chosen.append(Page(page.name, kept, [entry for entry in page.entries if entry.line < len(kept)]))
    if left > 0:
        raise TaskError(f"no task {id!r}: the pages of its split have {tokens - left} tokens")
    return chosen


def _distinct(found: list[Found]) -> list[Found]:
    """Entries whose name, and whose gist within its page, no other entry has."""
    names = Counter((page, entry.name) for _, page, entry in found)
    gists = Counter((page, tuple(sorted(words(entry.gist)))) for _, page, entry in found)
    return [
        (line, page, entry)
        for line, page, entry in found
        if names[page, entry.name] == 1 and gists[page, tuple(sorted(words(entry.gist)))] == 1
    ]


def _ask(rng: Random, found: list[Found], elsewhere: list[str], number: int) -> list[Question]:
    drawn: list[Question] = []
    pool = rng.sample(found, len(found))
    everywhere = Counter(entry.name for _, _, entry in found)
    common = Counter(word for _, page, entry in found for word in set(words(note(page, entry.name, entry.gist))))
    for _, page, entry in pool:
        kind = _KINDS[len(drawn) % len(_KINDS)]
        if len(drawn) >= number:
            break
        findable = any(common[word] <= _RARE for word in words(entry.name))
        if (kind == "page" and everywhere[entry.name] > 1) or (kind in ("page", "cloze") and not findable):
            kind = "entry"
        if question := _question(rng, f"q{len(drawn)}", kind, page, entry, elsewhere):
            drawn.append(question)
    return drawn


def _question(rng: Random, id: str, kind: str, page: str, entry: Entry, elsewhere: list[str]) -> Question | None:
    match kind:
        case "entry":
            text = f'Which entry of {page} is described like this: "{entry.gist}"'
            return Question(id, kind, text, "name", (entry.name,), {"op": "entry", "page": page, "gist": entry.gist})
        case "page":
            text = f"Which manual page has an entry {entry.name}? Give its name with the section, like signal(7)."
            return Question(id, kind, text, "name", (page,), {"op": "page", "name": entry.name})
        case "abstention":
            if not elsewhere:
                return None
            name = rng.choice(elsewhere)
            text = f"Which of the manual pages has an entry {name}?"
            return Question(id, kind, text, "name", (UNKNOWN,), {"op": "page", "name": name})
        case _:
            return _cloze(rng, id, page, entry)


def _cloze(rng: Random, id: str, page: str, entry: Entry) -> Question | None:
    """A sentence with a gap where a word stands that stands there once."""
    parts = entry.gist.split(" ")
    fit = [n for n in range(1, len(parts) - 1) if words(parts[n]) == [parts[n].lower()] and len(parts[n]) > 3]
    counted = Counter(words(entry.gist))
    fit = [n for n in fit if counted[parts[n].lower()] == 1]
    if not fit:
        return None
    place = rng.choice(fit)
    gapped = " ".join([*parts[:place], BLANK, *parts[place + 1 :]])
    text = f'{page} says of {entry.name}: "{gapped}" Which word is missing?'
    query = {"op": "cloze", "page": page, "name": entry.name, "gist": gapped}
    return Question(id, "cloze", text, "name", (parts[place],), query)
