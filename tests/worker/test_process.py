"""What a host does to its process: imports, threads and global state."""

from __future__ import annotations

import os
import subprocess
import sys

import anyio

from tests.worker.hosting import anyio_backend, echo, hosting, only_with_a_mock_clock, worker  # noqa: F401


def test_the_http_library_is_imported_before_the_host_starts() -> None:
    code = """if True:
        import anyio, sys
        from conductor_async import ConductorClient, WorkerHost, worker_task
        from conductor_async.worker.events import HostStarted

        @worker_task("cold")
        async def cold(): ...

        seen = []

        def on_event(event):
            if isinstance(event, HostStarted):
                seen.append("aiohttp" in sys.modules)

        async def main():
            async with ConductorClient("http://127.0.0.1:1/api") as conductor:
                assert "aiohttp" not in sys.modules
                async with WorkerHost(conductor, [cold], listeners=[on_event]) as host:
                    while not seen:
                        await anyio.sleep(0.01)
                    host.stop(at_once=True)
            assert "httpx" not in sys.modules

        anyio.run(main)
        print(seen)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[True]\n"


def test_importing_changes_nothing_of_the_process():
    code = (
        "import multiprocessing, os, logging, threading\n"
        "before = dict(os.environ), logging.getLevelNamesMapping()\n"
        "import conductor_async\n"
        "assert multiprocessing.get_start_method(allow_none=True) is None\n"
        "assert (dict(os.environ), logging.getLevelNamesMapping()) == before\n"
        "assert not hasattr(logging.Logger, 'trace') and threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_process_ends_when_the_host_does():
    code = (
        "import anyio\n"
        "from tests.worker.fake_conductor import FakeConductor\n"
        "from tests.worker.hosting import hosting, worker\n"
        "async def main():\n"
        "    server = FakeConductor(); server.put()\n"
        "    def job(): return 1\n"
        "    async with hosting(server, worker(job)): await server.until(lambda: server.results)\n"
        "anyio.run(main)\n"
    )
    root = os.fspath(anyio.Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=root)
    assert done.returncode == 0
