"""How bytes get to a server: aiohttp on asyncio, httpx elsewhere and for injected clients."""
