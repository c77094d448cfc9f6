"""Makes the default transport: aiohttp on asyncio, httpx on trio. Applies the TLS and proxy settings."""

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


def make_transport(configuration: Configuration, url: str, max_connections: int) -> Transport:
    """Returns a transport for the server of `url` in the running event loop.

    Args:
        configuration: Gives TLS settings, proxy and limits.
        url: The server, or any URL of it.
        max_connections: The most connections.

    Raises:
        ConfigurationError: The certificates cannot be loaded.
    """
    proxy = configuration.proxy_for(url)
    secure = "https" in (urlsplit(url).scheme, urlsplit(proxy or "").scheme)
    context = _ssl_context(configuration) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    keepalive = configuration.limits.keepalive_expiry
    max_size = configuration.max_response_size
    # Import only the library that is used: each takes a while.
    if "trio" not in type(anyio.lowlevel.current_token().native_token).__module__:
        from conductor_async._http.transport.aiohttp import AiohttpTransport

        return AiohttpTransport(
            context, connections=max_connections, keepalive_expiry=keepalive, max_response_size=max_size, proxy=proxy
        )
    import httpx

    from conductor_async._http.transport.httpx import HttpxTransport

    transport = httpx.AsyncHTTPTransport(
        verify=context,
        trust_env=False,
        limits=httpx.Limits(
            max_connections=max_connections, max_keepalive_connections=max_connections, keepalive_expiry=keepalive
        ),
        proxy=httpx.Proxy(proxy, ssl_context=context if proxy.startswith("https") else None) if proxy else None,
    )
    return HttpxTransport(transport, max_size)


def _ssl_context(configuration: Configuration) -> ssl.SSLContext:
    verify, cert = configuration.verify, configuration.cert
    if isinstance(verify, ssl.SSLContext):
        return verify
    try:
        if isinstance(verify, bool):
            import httpx  # brings certifi's certificate authorities

            context = httpx.create_ssl_context(verify=verify, trust_env=configuration.trust_env)
        elif Path(verify).is_dir():
            context = ssl.create_default_context(capath=str(verify))
        else:
            context = ssl.create_default_context(cafile=str(verify))
        if cert is not None:
            context.load_cert_chain(*((cert,) if isinstance(cert, str) else cert))
    except (OSError, ssl.SSLError) as error:
        shown = cert[0] if isinstance(cert, tuple) else cert  # the rest may include a password
        raise ConfigurationError(
            f"verify={verify!r}, cert={shown!r}: loading the certificates failed ({error})"
        ) from error
    return context
