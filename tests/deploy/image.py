"""The image, built by buildah on a base of one's own: no daemon and no registry of images.

The base is what `python:3.11-slim-bookworm` is made of: Debian bookworm and a Python 3.11.  It is
made by debootstrap once, and kept in the user's cache.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from streams.embedded.jars import cache_folder

ROOT: Final = Path(__file__).resolve().parents[2]
DOCKERFILE: Final = ROOT / "deploy" / "docker" / "Dockerfile"
_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
_BASE: Final = "localhost/python:local"
_IMAGE: Final = "localhost/streams:test"


def _run(*argv: str | Path) -> str:
    """Output of a command; its last lines in the error where it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise RuntimeError(f"{' '.join(map(str, argv))}: {done.returncode}\n{tail}")
    return done.stdout


def base_archive() -> Path:
    """A tar of the base's root folder; about a minute the first time."""
    archive = cache_folder() / "image-base-bookworm.tar"
    if archive.is_file():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="streams-base-") as name:
        folder = Path(name) / "root"
        packages = "--include=python3,python3-venv,ca-certificates"
        _run("debootstrap", "--variant=minbase", packages, "bookworm", folder)
        if Path(_AUTHORITIES).is_file():  # a network of one's own may have its own authorities
            shutil.copyfile(_AUTHORITIES, f"{folder}{_AUTHORITIES}")
        part = archive.with_suffix(".part")
        _run("tar", "-C", folder, "--exclude=./var/cache/apt", "-cf", part, ".")
        part.replace(archive)
    return archive


def pip_conf(folder: Path) -> Path:
    """What pip is set to on this machine, without what names its files."""
    lines = _run(sys.executable, "-m", "pip", "config", "list").splitlines()
    settings = dict(line.partition(".")[2].split("=", 1) for line in lines if "=" in line)
    wanted = {k: v.strip("'\"") for k, v in settings.items() if k.endswith(("index-url", "host"))}
    path = folder / "pip.conf"
    text = "".join(f"{key} = {value}\n" for key, value in wanted.items())
    path.write_text(f"[global]\ncert = {_AUTHORITIES}\n{text}", encoding="utf-8")
    return path


@dataclass(frozen=True)
class Image:
    """The image, mounted: `root` is its root folder, `config` what it says of itself."""

    root: Path
    config: dict[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        return dict(entry.split("=", 1) for entry in self.config["Env"])

    @property
    def megabytes(self) -> float:
        """Bytes of all files, each once, in 10^6."""
        seen: dict[tuple[int, int], int] = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                entry = os.lstat(os.path.join(folder, name))  # noqa: PTH118 - 20,000 of them
                seen[entry.st_dev, entry.st_ino] = entry.st_size
        return sum(seen.values()) / 1e6

    def argv(self, *command: str) -> list[str]:
        """`command` as a container would run it: in the image's root, as its user."""
        user = self.config["User"]
        chroot = shutil.which("chroot") or "/usr/sbin/chroot"  # PATH is the image's when it runs
        return [chroot, f"--userspec={user}", str(self.root), *command]

    def run(self, command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*command),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
        )


@contextmanager
def built(folder: Path) -> Iterator[Image]:
    """Builds and mounts the image; `folder` is emptied at the end."""
    store = ["buildah", "--root", folder / "root", "--runroot", folder / "run"]
    try:
        base = _run(*store, "from", "scratch").strip()
        _run(*store, "add", base, base_archive(), "/")
        _run(*store, "commit", "--quiet", base, _BASE)
        _run(
            *store, "bud", "--isolation", "chroot", "--pull-never", "--format", "docker",
            "--secret", f"id=pip,src={pip_conf(folder)}", "--build-arg", f"PYTHON={_BASE}",
            "--build-arg", "REVISION=0123abc", "--file", DOCKERFILE, "--tag", _IMAGE, ROOT,
        )  # fmt: skip
        described = json.loads(_run(*store, "inspect", "--type", "image", _IMAGE))
        container = _run(*store, "from", "--pull-never", _IMAGE).strip()
        mounted = Path(_run(*store, "mount", container).strip())
        yield Image(mounted, described["Docker"]["config"])
    finally:
        for command in (("umount", "--all"), ("rm", "--all"), ("rmi", "--all", "--force")):
            with suppress(RuntimeError):
                _run(*store, *command)
        shutil.rmtree(folder, ignore_errors=True)
