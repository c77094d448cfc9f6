"""URLs that the configuration gives: the server's and the proxy's."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote, urlsplit, urlunsplit

from conductor_async.errors import ConfigurationError


def normalized_server_url(url: str) -> tuple[str, str | None]:
    """Returns the API's URL without a trailing slash, and the Authorization header for a `user:password@` in it."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"server_api_url is not a valid URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"server_api_url must look like http://localhost:8080/api, not {_without_credentials(url)!r}:"
            " it needs http:// or https:// and a host"
        )
    if parts.query or parts.fragment:
        raise ConfigurationError(f"server_api_url must not have a query or a fragment: {_without_credentials(url)!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None else f"{host}:{port}"
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/") or "/api"
    authorization = basic_credentials(parts.username, parts.password)
    return urlunsplit((parts.scheme, netloc, path, "", "")), authorization


def checked_proxy_url(proxy: str) -> str:
    """Returns the proxy's URL, with `http://` if it has no scheme.

    Raises:
        ConfigurationError: It is not an http:// or https:// URL.
    """
    url = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as a port that is not a number, or an unclosed IPv6 address
        valid = False
    if not valid:
        raise ConfigurationError(f"proxy must be an http:// or https:// URL, not {_without_credentials(url)!r}")
    return url


def basic_credentials(quoted_user: str | None, quoted_password: str | None) -> str | None:
    """Returns the value of an Authorization header for the credentials in a URL; None without a user."""
    if quoted_user is None:
        return None
    credentials = f"{unquote(quoted_user)}:{unquote(quoted_password or '')}"
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def _without_credentials(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", url)
