"""What takes its time at a first call is done before the loop is watched, and no more than is needed."""

from __future__ import annotations

import subprocess
import sys


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
