"""The proxy that the environment names for a URL: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, except for `NO_PROXY`."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from conductor_async._urls import checked_proxy_url

__all__ = ["environment_proxy"]


def environment_proxy(url: str) -> str | None:
    """Returns the environment's proxy for a URL, or the system's on macOS and Windows; None without one.

    Raises:
        ConfigurationError: It is not an http:// or https:// URL.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    exceptions = getproxies_environment().get("no", "")
    if proxy_bypass(parts.netloc.rpartition("@")[2]) or any(_matches(host, each) for each in exceptions.split(",")):
        return None
    proxies = getproxies()
    for kind in (parts.scheme, "all"):
        if proxies.get(kind):
            name = f"the proxy of the environment ({kind.upper()}_PROXY; trust_env=False ignores it)"
            return checked_proxy_url(proxies[kind], name)
    return None


def _matches(host: str, exception: str) -> bool:
    """Whether `NO_PROXY` excepts a host in one of the forms that `proxy_bypass` does not know.

    These are networks (`10.0.0.0/8`), IPv6 addresses, and names with a leading `*`.
    """
    exception = exception.strip().lower()
    if exception.startswith("*."):
        return host.endswith(exception[1:])
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(exception.strip("[]"), strict=False)
    except ValueError:
        return False
