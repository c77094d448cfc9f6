"""Calls of the server's endpoints over HTTP. No other package knows about HTTP.

`call` is the entry: `Api.call(method, route(...), returns=T)`. Without I/O: `routes` (paths and queries), `body`
(response bodies to models), `errors` (responses to errors), `retries` (which failed requests are sent again, and when)
and `decompression`. With I/O: `token` (the access token), `session` (connections to one server) and `transport` (one
exchange through aiohttp or httpx).
"""
