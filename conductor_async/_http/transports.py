"""How bytes get to the server: httpx's transport interface, over aiohttp on asyncio and over httpx's own on trio.

Limits, TLS and proxies are settled here, because httpx ignores them on a client that is given a transport.
"""

from __future__ import annotations

import base64
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio.lowlevel
import httpx

from conductor_async.config import Limits
from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from conductor_async.config import Configuration

#: What httpx's own transports raise before anything was sent.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


def make_transport(configuration: Configuration, url: str, connections: int) -> httpx.AsyncBaseTransport:
    """A transport for the running event loop, to the server of `url`, with so many connections at the most.

    Raises:
        ConfigurationError: The certificates cannot be loaded.
    """
    proxy_url = configuration.proxy_for(url)
    secure_proxy = urlsplit(proxy_url or "").scheme == "https"
    secure = urlsplit(url).scheme == "https" or secure_proxy
    context = _ssl_context(configuration) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    proxy = httpx.Proxy(proxy_url, ssl_context=context if secure_proxy else None) if proxy_url else None
    keepalive = configuration.limits.keepalive_expiry
    if "trio" in type(anyio.lowlevel.current_token().native_token).__module__:
        return httpx.AsyncHTTPTransport(
            verify=context,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=keepalive
            ),
            proxy=proxy,
        )
    from conductor_async._http.aiohttp_transport import LeanTransport  # imports aiohttp: not needed on trio

    basic = None
    if proxy is not None and proxy.raw_auth:
        # As a header, because aiohttp is about to drop its own way to say who we are.
        basic = "Basic " + base64.b64encode(b":".join(proxy.raw_auth)).decode()
        proxy = httpx.Proxy(proxy.url, headers={"Proxy-Authorization": basic})
    return LeanTransport(context, Limits(connections, keepalive_expiry=keepalive), proxy, basic)


def wire_errors() -> tuple[type[Exception], ...]:
    """What a transport raises: httpx's errors, the system's, and those of aiohttp that its transport lets through."""
    known: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
    aiohttp = sys.modules.get("aiohttp")  # imported by the transport that raises them, if by any
    return (*known, aiohttp.ClientError) if aiohttp else known


def was_not_sent(error: Exception) -> bool:
    """Whether the request provably never left.

    The aiohttp transport reports a refused connection, and also a connection that the server closed after it had read
    the request, as `httpx.ConnectTimeout`. Only the cause tells them apart.
    """
    aiohttp = sys.modules.get("aiohttp")
    cause = error if aiohttp and isinstance(error, aiohttp.ClientError) else error.__cause__
    if aiohttp and isinstance(cause, aiohttp.ClientError):
        return isinstance(
            cause,
            (
                aiohttp.ClientConnectorError,
                aiohttp.ConnectionTimeoutError,
                aiohttp.ClientHttpProxyError,
                aiohttp.InvalidURL,
            ),
        )
    return isinstance(error, _NOT_SENT)


def _ssl_context(configuration: Configuration) -> ssl.SSLContext:
    verify, cert = configuration.verify, configuration.cert
    if isinstance(verify, ssl.SSLContext):
        return verify
    try:
        if isinstance(verify, bool):
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
