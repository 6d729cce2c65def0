"""Removes from the image's root what nothing in it runs: shells, package managers, compilers' and
interpreters' extras.  Runs once, while the image is built (deploy/docker/Dockerfile), as root.

The list of Debian's packages stays (/var/lib/dpkg/status): scanners read it.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

#: Folders of programs; the interpreter is all that stays in them.
PROGRAMS = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
#: What programs that are gone needed, documentation, and what packages' scripts left.
FOLDERS = (
    "/boot", "/home", "/media", "/mnt", "/src", "/srv",
    "/etc/apt", "/etc/cron.daily", "/etc/dpkg", "/etc/init.d", "/etc/pam.d", "/etc/perl",
    "/etc/skel", "/usr/games", "/usr/include", "/usr/lib/apt", "/usr/lib/dpkg", "/usr/lib/init",
    "/usr/lib/python3", "/usr/lib/systemd", "/usr/libexec", "/usr/local/include",
    "/usr/share/bash-completion", "/usr/share/bug", "/usr/share/debconf", "/usr/share/debhelper",
    "/usr/share/dpkg", "/usr/share/info", "/usr/share/lintian", "/usr/share/locale",
    "/usr/share/man", "/usr/share/perl5", "/usr/share/pixmaps", "/usr/share/python3",
    "/usr/share/python-wheels", "/var/backups", "/var/cache", "/var/lib/apt",
    "/var/lib/dpkg/info", "/var/lib/pam", "/var/lib/systemd", "/var/local", "/var/log", "/var/mail",
)  # fmt: skip
PATTERNS = (
    "/usr/lib/*/gconv", "/usr/lib/*/libapt*", "/usr/lib/*/libperl*", "/usr/lib/*/perl*",
    "/usr/share/doc/*/[!c]*", "/usr/share/doc/*/changelog*", "/usr/share/perl",
)  # fmt: skip
#: Parts of the standard library that install, test or draw.
LIBRARY = (
    "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "test", "tkinter",
    "turtledemo",
)  # fmt: skip


def programs() -> Iterator[Path]:
    """Every program but the interpreter that this runs on, under any of its names."""
    kept = Path(sys.executable).resolve()
    for folder in PROGRAMS:
        path = Path(folder)
        if path.is_symlink() or not path.is_dir():  # /bin is /usr/bin in Debian
            continue
        for program in path.iterdir():
            if program.resolve() != kept:
                yield program


def folders() -> Iterator[Path]:
    yield from map(Path, FOLDERS)
    for pattern in PATTERNS:
        yield from Path("/").glob(pattern.lstrip("/"))
    library = Path(os.__file__).parent
    for name in LIBRARY:
        yield library / name
    yield from library.glob("config-*")


def main() -> None:
    # Listed before anything goes: links would lead nowhere.
    for path in [*programs(), *folders()]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for folder in ("/var/log", "/mnt"):
        Path(folder).mkdir()
    Path(__file__).unlink()


if __name__ == "__main__":
    main()
