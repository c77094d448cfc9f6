"""Who may send requests over HTTP: programs on this machine, and names that the user allows. No web page of others.

A page that a browser shows can send requests to servers on the same machine, and by DNS rebinding read the responses
too: then its own domain resolves to this machine. Such requests name the domain in `Host`, or the page in `Origin` or
`Sec-Fetch-Site`. Programs other than browsers send neither of the last two.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["why_forbidden"]


def why_forbidden(headers: Mapping[str, str], allow_hosts: Collection[str]) -> str | None:
    """Returns why a request is not answered; None if it is.

    Args:
        headers: The request's headers, with names in lower case.
        allow_hosts: The host names that the user allows.
    """
    host = headers.get("host")
    if host is not None and not _is_own_host(_hostname(f"//{host}"), allow_hosts):
        return (
            f"The host {host!r} is not known to this server, which answers to names of this machine only."
            " Allow it: `dev --allow-host NAME`, or EmbeddedConductor(allow_hosts=[...])."
        )
    origin = headers.get("origin")
    if origin is not None and not _is_own_page(_hostname(origin), allow_hosts):
        return f"Pages of {origin!r} may not use this server. Allow their host: `--allow-host`, or allow_hosts=[...]."
    if headers.get("sec-fetch-site") == "cross-site" and origin is None:
        return "Pages of other sites may not use this server."
    return None


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _is_own_host(name: str, allow_hosts: Collection[str]) -> bool:
    """Returns whether no other domain can be meant: an address, or a name without a dot, which nobody can register."""
    return bool(name) and ("." not in name or _address(name) is not None or _is_own_page(name, allow_hosts))


def _is_own_page(name: str, allow_hosts: Collection[str]) -> bool:
    if name in allow_hosts or name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
