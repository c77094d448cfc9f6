"""A damaged outbox is set aside, what can be read of it is delivered, and the host starts."""

from __future__ import annotations

import logging
import random
import sqlite3
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from conductor_async.errors import ConfigurationError
from conductor_async.models import TaskResult, encode_json
from conductor_async.worker._results.outbox import Outbox
from tests.worker.fake_conductor import FakeConductor
from tests.worker.hosting import anyio_backend, echo, hosting, worker  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conductor_async.worker._results.encoded_result import EncodedResult

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)]

COUNT = 100
PAGE = 4096


def content_of(number: int) -> bytes:
    result = TaskResult(
        task_id=f"t{number}", workflow_instance_id=f"w-t{number}", status="COMPLETED", output_data={"n": "x" * 300}
    )
    return encode_json(result)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of an outbox with many results, as a process that was killed leaves it after a checkpoint."""
    path = tmp_path_factory.mktemp("outbox") / "out.db"
    file = sqlite3.connect(path)
    file.execute(
        "CREATE TABLE results (id INTEGER PRIMARY KEY AUTOINCREMENT, task_type TEXT NOT NULL, content BLOB NOT NULL,"
        " kept_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)"
    )
    rows = [("job", content_of(number)) for number in range(1, COUNT + 1)]
    file.executemany("INSERT INTO results (task_type, content) VALUES (?, ?)", rows)
    file.commit()
    file.close()
    return path.read_bytes()


async def read(path: Path) -> list[EncodedResult]:
    outbox = Outbox(path)
    await outbox.open()
    try:
        return await outbox.read()
    finally:
        await outbox.aclose()


def aside(path: Path) -> list[Path]:
    return [each for each in path.parent.glob("out.db.damaged-*") if not each.name.endswith(("-wal", "-shm"))]


async def test_a_host_with_a_damaged_outbox_starts_and_delivers_what_can_be_read(
    tmp_path: Path, filled: bytes, caplog: pytest.LogCaptureFixture
):
    server, path = FakeConductor(), tmp_path / "out.db"
    server.put(COUNT)
    server.queue.clear()
    damaged = filled[: 5 * PAGE] + random.Random(1).randbytes(PAGE) + filled[6 * PAGE :]
    path.write_bytes(damaged)
    async with hosting(server, echo, outbox=path):
        await server.until(lambda: len(server.results) > COUNT * 3 // 4)
        server.put()
        await server.until(lambda: any(result["taskId"] == f"t{COUNT + 1}" for result in server.results))
    [kept] = aside(path)
    assert kept.read_bytes()[5 * PAGE : 6 * PAGE] == damaged[5 * PAGE : 6 * PAGE]
    assert f"The outbox {path} is damaged" in caplog.text
    assert f"It is set aside as {kept}" in caplog.text
    assert not await read(path)


def flipped(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 10, 1000))):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def with_random_pages(content: bytes, chance: random.Random) -> bytes:
    pages = [content[at : at + PAGE] for at in range(0, len(content), PAGE)]
    for _ in range(chance.choice((1, 3))):
        pages[chance.randrange(len(pages))] = chance.choice((bytes(PAGE), chance.randbytes(PAGE), pages[0], pages[-1]))
    return b"".join(pages)


def truncated(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.choice((chance.randrange(200), chance.randrange(len(content))))]


def with_another_header(content: bytes, chance: random.Random) -> bytes:
    size = chance.choice((16, 50, 100))
    return chance.choice((chance.randbytes(size), bytes(size))) + content[size:]


@pytest.mark.parametrize("damage", [flipped, with_random_pages, truncated, with_another_header])
async def test_no_damage_keeps_an_outbox_from_opening(
    tmp_path: Path, filled: bytes, damage: Callable[[bytes, random.Random], bytes]
):
    for seed in range(12):
        path = tmp_path / str(seed) / "out.db"
        path.parent.mkdir()
        path.write_bytes(damage(filled, random.Random(seed)))
        results = await read(path)
        assert len(results) <= COUNT
        again = await read(path)
        assert len(again) == len(results)
        assert len(aside(path)) <= 1


@pytest.mark.parametrize("part", [b"", bytes(3 * PAGE), b"SQLite format 3\0"], ids=["empty", "zeros", "magic only"])
async def test_a_file_without_anything_in_it_is_replaced(tmp_path: Path, part: bytes):
    (tmp_path / "out.db").write_bytes(part)
    assert not await read(tmp_path / "out.db")


async def test_results_behind_a_damaged_header_are_delivered(tmp_path: Path, filled: bytes):
    (tmp_path / "out.db").write_bytes(b"?" * 100 + filled[100:])
    results = await read(tmp_path / "out.db")
    assert [result.result.task_id for result in results] == [f"t{number}" for number in range(1, COUNT + 1)]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """The bytes of an outbox and of the log beside it, as a process that was killed leaves them."""
    path = tmp_path_factory.mktemp("killed") / "out.db"
    file = sqlite3.connect(path)
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("CREATE TABLE results (id INTEGER PRIMARY KEY, task_type TEXT NOT NULL, content BLOB NOT NULL)")
    for number in range(1, 11):
        with file:
            file.execute("INSERT INTO results (task_type, content) VALUES ('job', ?)", (content_of(number),))
    left = path.read_bytes(), path.with_name("out.db-wal").read_bytes()
    file.close()
    return left


@pytest.mark.parametrize("header", [b"", b"?" * 100], ids=["undamaged", "damaged"])
async def test_results_that_are_only_in_the_write_ahead_log_are_delivered(
    tmp_path: Path, killed: tuple[bytes, bytes], header: bytes
):
    path = tmp_path / "out.db"
    path.write_bytes(header + killed[0][len(header) :])
    path.with_name("out.db-wal").write_bytes(killed[1])
    assert len(await read(path)) == 10


@pytest.mark.parametrize("seed", range(4))
async def test_a_damaged_write_ahead_log_does_no_harm(tmp_path: Path, killed: tuple[bytes, bytes], seed: int):
    path = tmp_path / "out.db"
    path.write_bytes(killed[0])
    path.with_name("out.db-wal").write_bytes(flipped(killed[1], random.Random(seed)))
    assert len(await read(path)) <= 10


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
async def test_damaged_files_beside_an_outbox_do_no_harm(tmp_path: Path, filled: bytes, suffix: str):
    path = tmp_path / "out.db"
    path.write_bytes(filled)
    path.with_name(path.name + suffix).write_bytes(random.Random(1).randbytes(5000))
    assert len(await read(path)) == COUNT


async def test_an_outbox_of_an_older_layout_is_read(tmp_path: Path):
    path = tmp_path / "out.db"
    file = sqlite3.connect(path)
    file.execute("CREATE TABLE results (id INTEGER PRIMARY KEY, task_type TEXT, content BLOB)")
    file.execute("INSERT INTO results VALUES (1, 'job', ?)", (content_of(1),))
    file.commit()
    file.close()
    [result] = await read(path)
    assert result.result.task_id == "t1"


async def test_another_programs_database_is_rejected_and_left_as_it_is(tmp_path: Path):
    path = tmp_path / "out.db"
    file = sqlite3.connect(path)
    file.execute("CREATE TABLE customers (id INTEGER)")
    file.commit()
    file.close()
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="another program's database: it has the tables customers"):
        await read(path)
    assert path.read_bytes() == before
    path.write_bytes(b"?" * 100 + before[100:])
    with pytest.raises(ConfigurationError, match="not a database"):
        await read(path)
    assert [each.name for each in tmp_path.iterdir()] == ["out.db"]


async def test_a_folder_in_its_place_is_rejected(tmp_path: Path):
    (tmp_path / "out.db").mkdir()
    with pytest.raises(ConfigurationError, match="it is a folder"):
        await read(tmp_path / "out.db")


@pytest.mark.parametrize(
    "content", [None, 7, "text", b"\xff", b"[]", content_of(1).replace(b"COMPLETED", b"IN_PROGRESS")]
)
async def test_a_row_that_is_no_final_result_stays_and_the_others_are_delivered(
    tmp_path: Path, content: Any, caplog: pytest.LogCaptureFixture
):
    """A task that was handed back may be somebody else's when it is handed back again."""
    path = tmp_path / "out.db"
    file = sqlite3.connect(path)
    file.execute("CREATE TABLE results (id INTEGER PRIMARY KEY, task_type, content)")
    file.executemany("INSERT INTO results VALUES (?, 'job', ?)", [(1, content), (2, content_of(2))])
    file.commit()
    file.close()
    with caplog.at_level(logging.CRITICAL):
        [result] = await read(path)
    assert result.result.task_id == "t2"
    assert "Result 1 of the outbox" in caplog.text


async def test_a_file_that_is_damaged_while_the_host_runs_is_logged_and_results_are_delivered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    server, path = FakeConductor(), tmp_path / "out.db"
    async with hosting(server, worker(echo, concurrency=1), outbox=path):
        await server.until(lambda: server.polls)
        for suffix in ("", "-wal"):
            beside = path.with_name(path.name + suffix)
            beside.write_bytes(random.Random(1).randbytes(max(PAGE, beside.stat().st_size)))
        server.faults["v2"] = [httpx.ConnectError("refused")]
        server.put(3)
        await server.until(lambda: len(server.results) == 3)
    assert server.statuses() == ["COMPLETED"] * 3
