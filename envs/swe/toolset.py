"""The tools of work on files in a box: a shell, an editor, a search. Each acts in the box alone.

The driver holds only what `Desk` says.  The life of the box is `workbench.py`'s business, what an edit does to a text
`editing.py`'s, the rewrites that software repair offers besides `rewriting.py`'s.
"""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from agentgym.environment import Environment
from agentgym.envs.swe import editing, shell
from agentgym.envs.swe.config import BoxConfig
from agentgym.errors import SandboxError, ToolError
from agentgym.sandboxes.sandbox import WORKSPACE, ExecResult, Sandbox
from agentgym.tools import tool
from agentgym.types import Reply

FULL = ("shell", "view", "create", "str_replace", "insert", "edit_line", "search", "submit")
C = TypeVar("C", bound=BoxConfig)
MAX_FILE = 2 << 20
_FIRST = 'awk \'NR <= 200; END { if (NR > 200) print "[" NR - 200 " more]" }\''
_SEARCH = (
    'find "$2" -type f -not -path "*/__pycache__/*" -not -path "*/.git/*" -print0 | LC_ALL=C sort -z '
    '| xargs -0 -r grep -HnIE -- "$1" | cut -c -300 | sed "s#^\\./##" | ' + _FIRST
)
_FOLDER = 'find "$1" -maxdepth 2 -not -path "*/.*" -not -name __pycache__ | LC_ALL=C sort | ' + _FIRST


@dataclass(slots=True)
class Desk:
    """What the driver knows of the episode besides the box: what the shell carries, and what repair keeps track of."""

    shell: shell.ShellState = field(default_factory=shell.ShellState)
    originals: dict[tuple[str, int], str] = field(default_factory=dict)
    touched: frozenset[str] = frozenset()

    def copy(self) -> Desk:
        return Desk(self.shell.copy(), dict(self.originals), self.touched)


class WorkspaceTools(Environment[C]):
    """The tools, over one box. `edited` says whether the turn under way has changed a file with an editing tool."""

    box: Sandbox | None = None
    box_env: Mapping[str, str]
    desk: Desk
    edited: bool = False

    def looked_at(self, path: str) -> None:
        """Called with the path, relative to the workspace, of every file that is shown or changed."""

    @tool
    async def shell(self, command: str, timeout: float | None = None) -> Reply:
        """Run a bash command in the box. Directory and exported variables carry over; background processes do not.

        Args:
            command: The command line.
            timeout: Seconds after which it is stopped; lower than the usual limit, never higher.
        """
        _check("command", command)
        limit = min(timeout or self.config.command_s, self.config.command_s)
        if limit <= 0:
            raise ToolError("timeout must be above 0 seconds")
        before, cap = self.desk.shell, self.config.output_bytes
        result = await self.execute(shell.argv(command), before.cwd, before.env, limit)
        if shell.unstarted(result) and before.cwd != "/":
            where = "/" if before.cwd == WORKSPACE else WORKSPACE
            self.desk.shell = shell.ShellState(where, before.env)
            return Reply(f"[nothing could be run in {before.cwd}: the directory is now {where}]", effective=False)
        after = shell.carried(result, before, self.box_env)
        if after is None:
            await self.kill_strays()
        else:
            self.desk.shell = after
        return Reply(shell.describe(result, limit, cap), effective=result.ok)

    @tool
    async def view(self, path: str, start: int | None = None, end: int | None = None) -> str:
        """Show a file with line numbers, or list a directory.

        Args:
            path: Relative to the workspace, or absolute.
            start: The first line to show.
            end: The last line to show.
        """
        _check("path", path)
        try:
            text = await self._read(path)
        except IsADirectoryError:
            return await self._folder(path)
        self._look(path)
        return editing.numbered(text, start, end, self.config.view_lines)

    @tool
    async def create(self, path: str, text: str) -> Reply:
        """Write a file, new or in place of what was there.

        Args:
            path: Relative to the workspace, or absolute.
            text: The whole content.
        """
        _check("path", path)
        try:
            before: str | None = await self._read(path)
        except IsADirectoryError:
            raise ToolError(f"{path} is a directory") from None
        except ToolError:
            before = None
        return await self.save_text(path, before, text, f"wrote {path}, {len(text)} characters")

    @tool
    async def str_replace(self, path: str, old_str: str, new_str: str) -> Reply:
        """Replace text that stands exactly once in a file.

        Args:
            path: Relative to the workspace, or absolute.
            old_str: The text to replace, with its indentation and without line numbers.
            new_str: The text to put in its place.
        """
        before = await self.file_text(path)
        after = editing.replace_once(before, old_str, new_str)
        line = before[: before.index(old_str)].count("\n") + 1
        return await self.save_text(path, before, after, editing.around(after, line, new_str.count("\n") + 1))

    @tool
    async def insert(self, path: str, line: int, text: str) -> Reply:
        """Insert lines after a line.

        Args:
            path: Relative to the workspace, or absolute.
            line: The line after which to insert; 0 for the top of the file.
            text: The lines to insert.
        """
        before = await self.file_text(path)
        after = editing.insert_after(before, line, text)
        return await self.save_text(path, before, after, editing.around(after, line + 1, text.count("\n") + 1))

    @tool
    async def edit_line(self, path: str, line: int, text: str, last_line: int | None = None) -> Reply:
        """Replace one line, or the lines up to last_line, by new text.

        Args:
            path: Relative to the workspace, or absolute.
            line: The line to replace.
            text: What to put there, with its indentation; empty text deletes the line.
            last_line: The last line to replace, if there are several.
        """
        before = await self.file_text(path)
        after = editing.replace_lines(before, line, text, last_line)
        return await self.save_text(path, before, after, editing.around(after, line, text.count("\n") + 1))

    @tool
    async def search(self, pattern: str, path: str = ".") -> Reply:
        """Search files for an extended regular expression; at most 200 hits.

        Args:
            pattern: As for grep -E.
            path: The file or directory to search.
        """
        _check("pattern", pattern)
        _check("path", path)
        where = posixpath.normpath(path)
        where = where if where.startswith(("/", ".")) else f"./{where}"
        command = ["/bin/bash", "--noprofile", "--norc", "-c", _SEARCH, "bash", pattern, where]
        result = await self.execute(command, WORKSPACE, {}, self.config.command_s)
        if result.stderr and not result.stdout:
            raise ToolError(result.stderr[:500].decode("utf-8", "replace").strip())
        if not result.stdout:
            return Reply(f"nothing matches {pattern!r} in {path}", effective=False)
        return Reply(shell.shown(result.stdout, result.stdout_dropped, self.config.output_bytes).rstrip("\n"))

    @tool
    def submit(self) -> str:
        """Hand in the workspace as it is. This ends the episode."""
        self.end("submit")
        return "submitted"

    # ---- inside -------------------------------------------------------------------------------------------------

    @property
    def live(self) -> Sandbox:
        """The box. Raises SandboxError if there is none any more."""
        if self.box is None:
            raise SandboxError("the episode's box is closed")
        return self.box

    async def execute(self, argv: Sequence[str], cwd: str, env: Mapping[str, str], timeout: float) -> ExecResult:
        """Run a command in the box, its output cut as the configuration says."""
        try:
            return await self.live.exec(argv, cwd=cwd, env=env, timeout=timeout, max_output=self.config.output_bytes)
        except OSError as error:
            raise ToolError(f"the command could not be started: {error.strerror or error}") from None

    async def kill_strays(self) -> None:
        """Kill every process that commands have left behind."""
        try:
            await self.live.exec(shell.KILL_ALL, cwd="/", timeout=10)
        except OSError as error:
            raise SandboxError(f"the box can not start a process any more: {error}", "ambiguous") from error

    async def file_text(self, path: str) -> str:
        """A file's text, for a tool that needs a file."""
        _check("path", path)
        try:
            text = await self._read(path)
        except IsADirectoryError:
            raise ToolError(f"{path} is a directory") from None
        self._look(path)
        return text

    async def _read(self, path: str) -> str:
        try:
            data = await self.live.read(path, MAX_FILE)
        except IsADirectoryError:
            raise
        except FileNotFoundError:
            raise ToolError(f"there is no file {path}: view a directory to see what there is") from None
        except OSError as error:
            why = f"over {MAX_FILE} bytes" if error.errno == errno.EFBIG else error.strerror
            raise ToolError(f"{path} can not be read: {why}") from None
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise ToolError(f"{path} is not UTF-8 text") from None

    async def save_text(self, path: str, before: str | None, after: str, told: str) -> Reply:
        """Write a file, unless nothing would change."""
        if before == after:
            return Reply("nothing changed: the file was like that already", effective=False)
        try:
            await self.live.write(path, after.encode("utf-8", "surrogatepass"))
        except OSError as error:
            raise ToolError(f"{path} can not be written: {error.strerror or error}") from None
        self._look(path)
        self.edited = True
        return Reply(told)

    async def _folder(self, path: str) -> str:
        command = ["/bin/bash", "--noprofile", "--norc", "-c", _FOLDER, "bash", posixpath.normpath(path)]
        result = await self.execute(command, WORKSPACE, {}, self.config.command_s)
        return result.stdout.decode("utf-8", "replace").rstrip("\n") or "(empty directory)"

    def _look(self, path: str) -> None:
        self.looked_at(posixpath.relpath(posixpath.join(WORKSPACE, path), WORKSPACE))


def _check(what: str, text: str) -> None:
    """Refuse what no command line or file name can hold."""
    if not text or "\0" in text or len(text) > shell.MAX_COMMAND or (not text.isascii() and _broken(text)):
        raise ToolError(f"{what} is empty, too long, or holds characters that can not be passed on")


def _broken(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
