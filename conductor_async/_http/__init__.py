"""The only package that knows that HTTP exists.

`api` is its face: `Api.call(method, route(...), returns=T)`. Around it, each without I/O: `routes` (paths), `codec`
(bytes to models), `responses` (answers to errors), `retries` (what is repeated, when). With I/O: `auth` (the token) and
`session` (httpx).
"""
