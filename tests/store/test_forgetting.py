"""What `streams forget` removes, and that it does not come again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.keys import US
from streams.posts.output import hash_author
from streams.store.forgetting import forget
from tests.protocol.fakes import START_MS, post, record
from tests.store.installation import LATE, Installation, X, delete, said, uids

Make = Callable[..., Installation]


async def everything(it: Installation) -> bytes:
    """All that Redis holds of kept posts, amplifiers and events."""
    found = b""
    async for key in it.redis.scan_iter(f"{it.layout.prefix}*"):
        kind = await it.redis.type(key)
        if kind == b"zset" and b":kept:" in key:
            found += b"".join(await it.redis.zrange(key, 0, -1))
        elif kind == b"hash":
            found += b"".join(await it.redis.hkeys(key))
        elif kind == b"stream":
            found += repr(await it.redis.xrange(key)).encode()
    return found


async def test_a_post_goes_from_all_lists_and_stays_away(make: Make) -> None:
    it = make(text=True)
    it.logs[0].records = said((1, "#metoo #balancetonporc mine"), (2, "#metoo"), (3, "Me too."))
    await it.count(0)
    stamp = {"campaign": "metoo", "kind": "amplifier", "name": X.format(1)}
    await it.redis.xadd(it.layout.events.stream, stamp)
    await it.redis.xadd(it.layout.events.stream, {**stamp, "name": X.format(2)})
    hour = (START_MS + 1000) // 3_600_000
    note = it.layout.partition("posts.raw", 0).gen(0).amplified(hour)
    await it.redis.hset(note, f"metoo{US}{X.format(1)}", f"{START_MS}{US}9{US}original")
    found = await forget(it.redis, it.layout, uid=X.format(1))
    assert found == (uids(1), 1, 1, 0)
    held = await everything(it)
    assert X.format(1).encode() not in held
    assert b"mine" not in held
    assert X.format(2).encode() in held
    assert await it.read() == uids(3, 2)
    # Redis loses everything but its tombstones, and the log is read again.
    tombstones = [key async for key in it.redis.scan_iter(f"{it.layout.prefix}*:deleted:*")]
    async for key in it.redis.scan_iter(f"{it.layout.prefix}*"):
        if key not in tombstones and not key.endswith(b"partitions"):
            await it.redis.delete(key)
    await it.count(0)
    assert await it.read() == uids(3, 2)
    # Nor does tidying up with the log take its tombstone away.
    live = it.layout.partition("posts.raw", 0).live
    await it.redis.hset(live, "begin", 1 << 40)
    it.logs[0].records.append(delete(3, 900))
    await it.count(0)
    assert await it.read() == uids(3, 2)


async def test_an_author_goes_with_all_posts_and_those_to_come(make: Make) -> None:
    it = make()
    # The invented author of a post is its number modulo 97.
    it.logs[0].records = said((1, "#metoo"), (98, "Me too."), (2, "#metoo"))
    it.logs[1].records = said((195, "#metoo"), (3, "#metoo"))
    await it.count(0)
    await it.count(1)
    author = hash_author(it.rules.author_key, "x", "1").hex()
    found = await forget(it.redis, it.layout, author=author)
    assert found.posts == uids(1, 98, 195)
    assert author.encode() not in await everything(it)
    it.logs[1].records.append(record(2, post(292, "#metoo"), at=LATE))
    await it.count(1)
    assert await it.read() == uids(3, 2)


async def test_an_account_that_was_deleted_takes_its_posts_along(make: Make) -> None:
    it = make()
    did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"

    def event(offset: int, **parts: Any) -> Any:
        value = {"did": did, "time_us": (START_MS + offset) * 1000, **parts}
        return record(offset, orjson.dumps(value), at=LATE)

    def said_there(offset: int, key: str) -> Any:
        said = {
            "$type": "app.bsky.feed.post",
            "text": "#metoo",
            "createdAt": "2017-10-15T10:00:01Z",
        }
        commit = {
            "rev": "1",
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": key,
            "record": said,
        }
        return event(offset, kind="commit", commit=commit)

    it.logs[0].records = [said_there(0, "3jzfcijpj2z2a"), record(1, post(1, "#metoo"), at=LATE)]
    account = {"active": False, "did": did, "seq": 1}
    it.logs[1].records = [event(0, kind="account", account={**account, "status": "deactivated"})]
    await it.count(0)
    await it.count(1)
    assert len(await it.read()) == 2
    it.logs[1].records.append(event(1, kind="account", account={**account, "status": "deleted"}))
    await it.count(1)
    assert await it.read() == uids(1)


async def test_a_deleted_text_does_not_stay(make: Make) -> None:
    it = make(text=True)
    # Ids that say when they were made, as X's do: the delete does not.
    number = (START_MS + 1000 - 1_288_834_974_657) << 22
    value = orjson.loads(post(1, "#metoo mine"))
    value["data"]["id"] = str(number)
    it.logs[0].records = [record(0, orjson.dumps(value), at=LATE), *said((2, "#metoo"))]
    it.logs[0].records[1].offset = 1
    await it.count(0)
    assert len(await it.read()) == 2
    it.logs[0].records.append(delete(2, 0))
    it.logs[0].records[-1].value = orjson.dumps(
        {"delete": {"status": {"id_str": str(number), "user_id_str": "1"}}}
    )
    await it.count(0)
    assert await it.read() == uids(2)
    assert b"mine" not in await everything(it)


async def test_where_nothing_was_counted(make: Make) -> None:
    it = make()
    with pytest.raises(LookupError):
        await forget(it.redis, it.layout, uid="x:1")


def test_the_command(filled: Any, redis_url: str, unique: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("STREAMS_REDIS__URL", redis_url)
    monkeypatch.setenv("STREAMS_REDIS__PREFIX", f"{unique}:")
    monkeypatch.setenv("STREAMS_PRIVACY__AUTHOR_KEY", "a key for tests, 16+ bytes")
    author = hash_author(b"a key for tests, 16+ bytes", "x", "7").hex()
    run = CliRunner().invoke
    assert "nothing was ever counted" in str(run(app, ["forget", "x:1"]).exception)
    filled.partition(0, watermark=1000)
    filled.posts(0, ("x:1", 900_000), ("x:2", 900_001), author=author)
    said = run(app, ["forget", "x:1"])
    assert (said.exit_code, "removed 1 kept posts" in said.stdout) == (0, True)
    said = run(app, ["forget", "--author", "x:7", "--json"])
    document = orjson.loads(said.stdout)
    assert (document["author"], document["posts"]) == (author, ["x:2"])
    assert orjson.loads(run(app, ["forget", author, "--json"]).stdout)["posts"] == []
    assert "is neither a uid" in str(run(app, ["forget", "somebody"]).exception)
