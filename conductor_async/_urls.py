"""URLs that the configuration and the environment give: the server's and the proxy's."""

from __future__ import annotations

import base64
import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from conductor_async._text import escaped
from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

# Control characters and odd white space. `urlsplit` drops some of them silently, which gives another host.
_NEVER_IN_URLS = re.compile(r"[\x00-\x1f\x7f-\xa0\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_LONGEST_HOST = 253


def normalized_server_url(url: str) -> tuple[str, str | None]:
    """Returns the API's URL without a trailing slash, and the Authorization header for a `user:password@` in it."""
    if not isinstance(url, str):
        raise ConfigurationError(f"server_api_url must be a string, not {type(url).__name__}")
    shown = _shown(url)
    try:
        parts = _checked_parts(url.strip())
    except ValueError as error:
        raise ConfigurationError(f"server_api_url is not a valid URL: {error}: {shown}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"server_api_url must look like http://localhost:8080/api, not {shown}:"
            " it needs http:// or https:// and a host"
        )
    if "?" in url or "#" in url:
        raise ConfigurationError(f"server_api_url must not have a query or a fragment: {shown}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/") or "/api"
    authorization = basic_credentials(parts.username, parts.password)
    return urlunsplit((parts.scheme, netloc, path, "", "")), authorization


def checked_proxy_url(proxy: str, name: str = "proxy") -> str:
    """Returns the proxy's URL, with `http://` if it has no scheme.

    Args:
        proxy: The URL.
        name: Where it comes from, for the error message.

    Raises:
        ConfigurationError: It is not an http:// or https:// URL.
    """
    url = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = _checked_parts(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise ConfigurationError(f"{name} must be an http:// or https:// URL, not {_shown(url)}")
    return url


def basic_credentials(quoted_user: str | None, quoted_password: str | None) -> str | None:
    """Returns the value of an Authorization header for the credentials in a URL; None without a user."""
    if quoted_user is None:
        return None
    credentials = f"{unquote(quoted_user)}:{unquote(quoted_password or '')}"
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def _checked_parts(url: str) -> SplitResult:
    """Returns the parts of a URL.

    Raises:
        ValueError: A character, the host or the port is invalid.
    """
    if found := _NEVER_IN_URLS.search(url):
        raise ValueError(f"it has the character {found[0]!a}")
    parts = urlsplit(url)
    try:
        valid_port = parts.port != 0
    except ValueError:  # its text shows the port, which may be a part of a password
        valid_port = False
    if not valid_port:
        raise ValueError("its port is not a number from 1 to 65535")
    if parts.hostname:
        _check_host(parts.hostname)
    return parts


def _check_host(host: str) -> None:
    if ":" in host:  # in brackets
        ipaddress.IPv6Address(host)
        return
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError("its host is not a valid name") from error
    labels = ascii_host.removesuffix(".").split(".")
    if len(ascii_host) > _LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("its host is not a valid name")
    if labels[-1].isdigit():  # an address: a name's last part is no number
        ipaddress.IPv4Address(ascii_host)


def _shown(url: str) -> str:
    return f"'{escaped(re.sub('//.*@', '//***@', url, flags=re.DOTALL), 200)}'"
