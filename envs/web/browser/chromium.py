"""One Chromium process: found, started, owned, ended. What goes on inside it is for `pool` and `session`.

It is started over pipes and not through Playwright, which keeps the pipe to itself: raw calls would need a debugging port, open
to everybody on the machine, and a Node process of 64 MB beside each browser, without which that dies.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from agentgym.envs.web.browser import memory
from agentgym.envs.web.browser.cdp import Json, Late, Listener, Pipe
from agentgym.errors import SandboxError, UsageError

VARIABLE = "AGENTGYM_CHROMIUM"
NAMES = ("chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome")
_PLAYWRIGHT = (
    *("chromium_headless_shell-*/*/headless_shell", "chromium_headless_shell-*/*/chrome-headless-shell"),
    "chromium-*/*/chrome",
)
_LAUNCH = (
    "import os,sys;r,w=int(sys.argv[1]),int(sys.argv[2]);os.dup2(r,3);os.dup2(w,4);os.execv(sys.argv[3],sys.argv[3:])"
)
_START_S, _END_S, _CALL_S = 30.0, 3.0, 20.0
_PREFIX = "agentgym-browser-"

FLAGS = (
    *("--remote-debugging-pipe", "--headless", "--no-first-run", "--no-default-browser-check", "--disable-gpu"),
    # nothing leaves by itself
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps"),
    *("--disable-domain-reliability", "--disable-client-side-phishing-detection", "--no-pings", "--disable-extensions"),
    *("--disable-quic", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp", "--dns-prefetch-disable"),
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    # nothing is asked, kept or reported
    *("--disable-breakpad", "--disable-crash-reporter", "--password-store=basic", "--use-mock-keychain"),
    *("--disable-prompt-on-repost", "--disable-popup-blocking", "--mute-audio", "--noerrdialogs"),
    # a page that nobody looks at is as quick as any other, and looks the same everywhere
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-hang-monitor"),
    *("--disable-backgrounding-occluded-windows", "--disable-ipc-flooding-protection", "--disable-dev-shm-usage"),
    *("--force-color-profile=srgb", "--font-render-hinting=none", "--hide-scrollbars", "--lang=en-US"),
    "--js-flags=--max-old-space-size=1024",
    # a tab's frames are one process and one clock, whatever their origin (what scripts may reach is as ever; sessions share no process)
    "--disable-site-isolation-trials",
    "--disable-features=site-per-process,IsolateOrigins,IsolateSandboxedIframes,BackForwardCache,Translate,PaintHolding,MediaRouter,OptimizationHints,AcceptCHFrame,"
    "InterestFeedContentSuggestions,CertificateTransparencyComponentUpdater,Prerender2,HttpsUpgrades,DialMediaRouteProvider",
)


def find() -> str:
    """The browser to start: AGENTGYM_CHROMIUM, else from PATH, else Playwright's own. Raises UsageError if there is none."""
    if named := os.environ.get(VARIABLE):
        if not os.access(named, os.X_OK):
            raise UsageError(f"{VARIABLE} names {named!r}, which is no program that can be run")
        return named
    for name in NAMES:
        if found := shutil.which(name):
            return found
    if of_playwright := max(_of_playwright(), default=None):
        return str(of_playwright)
    raise UsageError(
        "there is no Chromium here: apt-get install chromium-headless-shell (or chromium), or pip install playwright "
        f"&& playwright install chromium, or name one in {VARIABLE}"
    )


def _of_playwright() -> Iterator[Path]:
    home = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return (path for pattern in _PLAYWRIGHT for path in home.glob(pattern))


class Chromium:
    """A running browser. `call` and `pipe` speak to the browser itself; sessions speak through the same pipe."""

    def __init__(self, process: asyncio.subprocess.Process, pipe: Pipe, home: Path) -> None:
        self.process, self.pipe, self.home = process, pipe, home
        self._watch: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, flags: tuple[str, ...] = ()) -> Chromium:
        """Start one and wait until it answers. Raises UsageError (there is none), SandboxError (it will not start)."""
        program = find()
        sweep()
        home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        ours, theirs = os.pipe(), os.pipe()  # ours: from us to it
        errors = home / "stderr"
        confined = () if os.geteuid() else ("--no-sandbox",)  # Chromium refuses its own sandbox to root
        with errors.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _LAUNCH, str(ours[0]), str(theirs[1]), program),
                *(*FLAGS, *confined, f"--user-data-dir={home}", *flags),
                pass_fds=(ours[0], theirs[1]),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "HOME": str(home)},
            )
        os.close(ours[0])
        os.close(theirs[1])
        browser = cls(process, Pipe(theirs[0], ours[1]), home)
        try:
            await browser.pipe.send("Browser.getVersion", {}, "", _START_S)
        except (SandboxError, Late) as error:
            said = errors.read_text(errors="replace")[-500:]
            await browser.close()
            raise SandboxError(f"{program} did not start: {error}: {said or 'it says nothing'}") from None
        except BaseException:
            await browser.close()
            raise
        browser._watch = asyncio.create_task(memory.watch(browser))
        return browser

    @property
    def alive(self) -> bool:
        return not self.pipe.closed and self.process.returncode is None

    async def call(self, method: str, limit_s: float = _CALL_S, **params: object) -> Json:
        """Ask the browser itself. Raises SandboxError, CallFailed, Late."""
        return await self.pipe.send(method, params, "", limit_s)

    def listen(self, listener: Listener) -> None:
        self.pipe.listen("", listener)

    async def close(self) -> None:
        """End it and all that it started, and remove its profile. Idempotent."""
        if self._watch is not None:
            self._watch.cancel()
        self.pipe.close()  # at which it ends by itself
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), _END_S)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        await asyncio.to_thread(shutil.rmtree, self.home, True)


def sweep() -> None:
    """Remove profiles whose owner is gone: a driver that was killed could not."""
    for home in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = home.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(home, ignore_errors=True)
