"""Packages of pages that others wrote, by pinned version and hash: fetched through npm's own configuration, never run here.

With npm on PATH, `npm pack` fetches, and honours registry, proxy and credentials as the user set them. Without, the file comes over
HTTP from the registry that NPM_CONFIG_REGISTRY or an .npmrc names. The pages are all under the MIT licence.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from agentgym.envs.swe.cache import cache_dir, publish
from agentgym.envs.swe.packages import ChangedError, FetchError, unpack

_TIMEOUT_S = 600


@dataclass(slots=True, frozen=True)
class Package:
    """`sha512`: of the registry's file, base64. `root`: what its pages take for the site's root. `pages`: glob patterns below it;
    paths that match `left_out` are not taken."""

    name: str
    version: str
    sha512: str
    root: str
    pages: tuple[str, ...]
    split: str
    left_out: str = r"(^|/)(docs?|documentation)(/|\.html$)"


# Disjoint by package, and by who made them: nothing of one maker's design is in two splits.
PACKAGES = (
    Package(
        "@tabler/preview",
        "1.2.0",
        "RkIICf4bXA67hJoycZ7SzIPNQZXlNogNf0u78FdgjrqVdthKXoHV7zhl8e9NgNAF0ykfYd0/A7MEVoL1bBieMQ==",
        "dist",
        ("*.html", "marketing/*.html"),
        "train",
    ),
    Package(
        "gentelella",
        "4.2.0",
        "etbwRsQv+fl5tAnmE+SCZGGWWU6H6EudoWFZEPDJ93jGtVlDOnUmG09XW/BY+V3K1n28jZJ3fJx4V3WH7MVzOQ==",
        "dist",
        ("production/*.html",),
        "train",
    ),
    Package(
        "startbootstrap-sb-admin-2",
        "4.1.4",
        "Zr0JNu4tRD4EJVDwVLETKWfMniFx4Dy3qAnJ96ucqUqIZ8Ns4/H5a6Y0E44/K5lxO05EBQwi24hPxaLEz+2IhA==",
        "",
        ("*.html",),
        "train",
    ),
    Package(
        "startbootstrap-sb-admin",
        "7.0.7",
        "8GcoX/qZLUVOSX+7qWHgnruioIHew6jwcDY6NMjG8sfwHhkBnpPAcUhtqP0ikJE4T0/lMyxvr8zHcmZkN6y/kQ==",
        "dist",
        ("*.html",),
        "train",
    ),
    Package(
        "soft-ui-dashboard",
        "1.0.1",
        "cRL8/jseDodYaZFUekr3ZLvKeyxxe5H4r33C3s65ApLE03f8S2P83sc3wYDWEEz2aYt+5vlZLa81ASfQNTQjKg==",
        "",
        ("pages/*.html",),
        "validation",
    ),
    Package(
        "soft-ui-design-system",
        "1.0.4",
        "tX86rDIsaW2CscpCEolbqvYMpjZOSHGoTZLFRAV+8HJpYEdbNjeS8BsAUhhs8qDlRnbmCykolVgQqKnKlcfLEQ==",
        "",
        ("index.html", "presentation.html", "pages/*.html"),
        "validation",
    ),
    Package(
        "sneat-bootstrap-html-admin-template-free",
        "1.0.0",
        "UjYdeDBc4rRg5w6hAS9Ll5jdp/NisxBaiDqhVJvaq7A7R96NfktmY6PgFtfPPgWQlte3/VxAZuDt+tmBt26e4A==",
        "",
        ("html/*.html",),
        "test",
    ),
    Package(
        "adminlte4",
        "4.0.0-beta.3.20241227",
        "44x0XKMcX6e/VA1glXbv8OZSBnwvP6QwrWaZN+SZIKTGr9/g9/F4rC6MyDX0WHBrYGuMtUqyqLdsB3jMo9UgLw==",
        "",
        ("dist/pages/*.html", "dist/pages/*/*.html"),
        "test",
    ),
)


async def fetch(package: Package) -> Path:
    """The folder that the package's pages take for their site's root. Raises FetchError (not to be had), ChangedError."""
    key = hashlib.sha256(package.sha512.encode()).hexdigest()[:32]
    target = cache_dir() / "npm" / key
    if not target.is_dir():
        await asyncio.to_thread(_fetch, package, target)
    return target / package.root


def _fetch(package: Package, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="agentgym-npm-") as scratch:
        archive = _download(package, Path(scratch))
        actual = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if actual != package.sha512:
            raise ChangedError(
                f"{package.name} {package.version}: sha512 is {actual}, pinned is {package.sha512}: not unpacked"
            )
        publish(target, lambda folder: unpack(archive, folder))


def _download(package: Package, scratch: Path) -> Path:
    if npm := shutil.which("npm"):
        command = [
            npm,
            "pack",
            f"{package.name}@{package.version}",
            "--ignore-scripts",
            "--pack-destination",
            str(scratch),
        ]
        run = subprocess.run(command, cwd=scratch, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S)
        files = list(scratch.glob("*.tgz"))
        if run.returncode or len(files) != 1:
            raise _explain(package, run.stderr[-1_000:])
        return files[0]
    archive = scratch / "package.tgz"
    try:
        with urlopen(_address(package), timeout=_TIMEOUT_S) as answer, archive.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except (URLError, OSError, ValueError) as error:
        raise _explain(package, str(error)) from None
    return archive


def _address(package: Package) -> str:
    registry = next(filter(None, (os.environ.get(name) for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry"))), "")
    for file in (Path(".npmrc"), Path.home() / ".npmrc"):
        if not registry and file.is_file():
            said = re.search(r"^registry\s*=\s*(\S+)", file.read_text(errors="replace"), re.M)
            registry = said[1] if said else ""
    if not registry.startswith(("http://", "https://")):
        raise _explain(
            package, "there is no npm on PATH, and neither NPM_CONFIG_REGISTRY nor an .npmrc names a registry"
        )
    base = package.name.rpartition("/")[2]
    return f"{registry.rstrip('/')}/{package.name}/-/{base}-{package.version}.tgz"


def _explain(package: Package, why: str) -> FetchError:
    return FetchError(
        f"{package.name}@{package.version} could not be had from npm's registry: {why.strip()}\nIf this machine is offline, fetch "
        "it once where there is a network and copy AGENTGYM_CACHE, or do without: sources=['miniwob', 'shop']"
    )
