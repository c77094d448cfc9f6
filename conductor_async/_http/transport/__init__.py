"""How requests reach a server: through aiohttp on asyncio; through httpx on trio and with injected clients."""
