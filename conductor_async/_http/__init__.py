"""The only package that knows that HTTP exists.

`api` is its face: `Api.call(method, route(...), returns=T)`. Around it, each without I/O: `routes` (paths), `requests`
(what is sent), `codec` (bytes to models), `responses` (answers to errors), `retries` (what is repeated, when) and
`unpacking`. With I/O: `auth` (the token), `session` (one exchange, whole), and under it the `wire`: `aiohttp_wire` or
`httpx_wire`, as `transports` chooses.
"""
