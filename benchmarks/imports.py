"""What it costs until a client is there: CPU time and memory of import and construction, then of the first call.

`python imports.py --peer-2-python PATH --peer-1-python PATH [--quick] [--json FILE]`

`python` is the interpreter alone, with nothing imported: part of everyone's memory, and of nobody's CPU time.
"""

from __future__ import annotations

import sys
import time

BEGIN = time.process_time()  # before anything else is imported

CONSTRUCT = {
    "python": "pass",
    "ours": """
import conductor_async
client = conductor_async.ConductorClient("http://127.0.0.1:1/api")
""",
    "2.0": """
from conductor.client.configuration.configuration import Configuration
from conductor.client.orkes_clients import OrkesClients
clients = OrkesClients(Configuration(server_api_url="http://127.0.0.1:1/api"))
clients.get_workflow_client(), clients.get_metadata_client()
""",
    "1.2": """
from conductor.asyncio_client.adapters import ApiClient
from conductor.asyncio_client.configuration import Configuration
from conductor.asyncio_client.orkes.orkes_clients import OrkesClients
import asyncio
async def main():
    configuration = Configuration(server_url="http://127.0.0.1:1/api")
    clients = OrkesClients(ApiClient(configuration), configuration)
    clients.get_workflow_client(), clients.get_metadata_client()
asyncio.run(main())
""",
}


def peak_megabytes() -> float:
    """The most memory that this process has held; what its parent held is not counted, unlike in getrusage()."""
    try:
        with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib would be an import
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def measure(name: str, url: str) -> dict[str, float]:
    exec(CONSTRUCT[name], {})
    figures = {"ready, ms CPU": (time.process_time() - BEGIN) * 1e3, "ready, MB": peak_megabytes()}
    figures["ready, modules"] = len(sys.modules)
    if name != "python":
        import asyncio

        from contestants import opened

        async def first_call() -> None:
            async with opened(name, url) as contestant:
                await contestant.run(None, 1, 1)

        asyncio.run(first_call())
        figures["first call made, ms CPU"] = (time.process_time() - BEGIN) * 1e3
        figures["first call made, MB"] = peak_megabytes()
    return figures


def main() -> None:
    from rounds import Target, null_server, options, report, rotate

    targets = [Target("ready, ms CPU", "2.0", 0.6), Target("ready, MB", "2.0", 0.9)]
    args = options(__doc__ or "", rounds=9).parse_args()
    with null_server() as url:
        results = rotate("imports.py", ["python", "ours", "1.2", "2.0"], args, url)
    report("Imports", "import and construction, then the first call", results, targets, args)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        given = measure(sys.argv[2], sys.argv[3])
        import json

        print(json.dumps(given))
    else:
        main()
