"""Which way leads to the server: aiohttp's connections on asyncio, httpx's own on trio.

TLS and proxies are settled here.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio.lowlevel

from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from conductor_async._http.transport.interface import Transport
    from conductor_async.config import Configuration


def make_transport(configuration: Configuration, url: str, connections: int) -> Transport:
    """The way to the server of `url` in the running event loop, with so many connections at the most.

    Raises:
        ConfigurationError: The certificates cannot be loaded.
    """
    proxy = configuration.proxy_for(url)
    secure = "https" in (urlsplit(url).scheme, urlsplit(proxy or "").scheme)
    context = _ssl_context(configuration) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    keepalive = configuration.limits.keepalive_expiry
    at_most = configuration.max_response_size
    # Each way imports its library, which takes a while.
    if "trio" not in type(anyio.lowlevel.current_token().native_token).__module__:
        from conductor_async._http.transport.aiohttp import AiohttpTransport

        return AiohttpTransport(
            context, connections=connections, keepalive_expiry=keepalive, max_response_size=at_most, proxy=proxy
        )
    import httpx

    from conductor_async._http.transport.httpx import HttpxTransport

    transport = httpx.AsyncHTTPTransport(
        verify=context,
        trust_env=False,
        limits=httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=keepalive
        ),
        proxy=httpx.Proxy(proxy, ssl_context=context if proxy.startswith("https") else None) if proxy else None,
    )
    return HttpxTransport(transport, at_most)


def checked_url(url: str) -> str:
    """A URL of another's as it can be sent: only what no URL may hold is quoted, a host in another script is encoded.

    Raises:
        ValueError: It is no URL.
    """
    import httpx

    try:
        return str(httpx.URL(url))
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error


def _ssl_context(configuration: Configuration) -> ssl.SSLContext:
    verify, cert = configuration.verify, configuration.cert
    if isinstance(verify, ssl.SSLContext):
        return verify
    try:
        if isinstance(verify, bool):
            import httpx  # has the authorities (certifi)

            context = httpx.create_ssl_context(verify=verify, trust_env=configuration.trust_env)
        elif Path(verify).is_dir():
            context = ssl.create_default_context(capath=str(verify))
        else:
            context = ssl.create_default_context(cafile=str(verify))
        if cert is not None:
            context.load_cert_chain(*((cert,) if isinstance(cert, str) else cert))
    except (OSError, ssl.SSLError) as error:
        shown = cert[0] if isinstance(cert, tuple) else cert  # the rest may hold a password
        raise ConfigurationError(
            f"verify={verify!r}, cert={shown!r}: the certificates cannot be loaded ({error})"
        ) from error
    return context
