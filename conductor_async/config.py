"""Where the server is and how to talk to it. The only module that reads the environment."""

from __future__ import annotations

import base64
import functools
import logging
import os
import re
import sys
import warnings
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from conductor_async._version import __version__
from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from typing import Self

    from conductor_async.hooks import CallHook

logger = logging.getLogger("conductor_async")

_NOT_THE_CALLERS = frozenset({"connection", "content-length", "content-type", "host", "transfer-encoding"})

DEFAULT_SERVER_API_URL = "http://localhost:8080/api"


def seconds(value: float | timedelta, name: str, *, positive: bool = True) -> float:
    """A duration as seconds, checked: `name` is used in the error."""
    result = value.total_seconds() if isinstance(value, timedelta) else value
    if (
        isinstance(result, bool)
        or not isinstance(result, int | float)
        or not (result > 0 or (result == 0 and not positive))
    ):
        raise ConfigurationError(f"{name} must be {'more than' if positive else 'at least'} 0 seconds, not {value!r}")
    return float(result)


@dataclass(frozen=True, slots=True, repr=False)
class AuthenticationSettings:
    """An access key of a server that asks for one (Orkes). Neither part is ever shown, logged or pickled.

    Args:
        key_id: The key's id.
        key_secret: The key's secret.
    """

    key_id: str
    key_secret: str

    def __post_init__(self) -> None:
        if not self.key_id or not self.key_secret:
            missing = "key_id" if not self.key_id else "key_secret"
            raise ConfigurationError(f"AuthenticationSettings needs both key_id and key_secret: {missing} is empty")

    def __repr__(self) -> str:
        return "AuthenticationSettings(key_id='***', key_secret='***')"

    def __reduce__(self) -> Any:
        raise TypeError(
            "AuthenticationSettings cannot be pickled: it holds a secret. Read it from the environment there."
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


@dataclass(frozen=True, slots=True, init=False)
class RetryPolicy:
    """How often, and how patiently, a request is repeated that is safe to repeat.

    The wait before try n is random between 0 and `base_delay * 2**(n-2)`, at most `max_delay`; a `Retry-After` of the
    server is a floor, unless it asks for more than `max_retry_after`: then the error is raised at once, with the number
    in it.

    Args:
        max_attempts: Tries in all. 1 means: never repeat.
        base_delay: Seconds (or a timedelta).
        max_delay: Seconds (or a timedelta).
        max_retry_after: The longest `Retry-After` that is waited out, in seconds (or a timedelta).
        budget: Tokens that all calls of a client share: a retry takes 10 (20 after a timeout), a success gives 1 back.
            With none left, calls fail at once instead of adding load to a server that is failing.
    """

    max_attempts: int
    base_delay: float
    max_delay: float
    max_retry_after: float
    budget: int

    def __init__(
        self,
        max_attempts: int = 4,
        *,
        base_delay: float | timedelta = 0.1,
        max_delay: float | timedelta = 10.0,
        max_retry_after: float | timedelta = 60.0,
        budget: int = 500,
    ) -> None:
        if max_attempts < 1:
            raise ConfigurationError(f"max_attempts must be at least 1, not {max_attempts!r}")
        put = functools.partial(object.__setattr__, self)  # frozen: the only place that sets anything
        put("max_attempts", max_attempts)
        put("base_delay", seconds(base_delay, "base_delay", positive=False))
        put("max_delay", seconds(max_delay, "max_delay", positive=False))
        put("max_retry_after", seconds(max_retry_after, "max_retry_after", positive=False))
        put("budget", budget)


@dataclass(frozen=True, slots=True, init=False)
class Limits:
    """How many connections a client may hold.

    Args:
        max_connections: Open at once. A long poll of a worker holds one while it waits.
        keepalive_expiry: Seconds (or a timedelta) that an idle connection is kept. The server closes them after 20.
    """

    max_connections: int
    keepalive_expiry: float

    def __init__(self, max_connections: int = 100, *, keepalive_expiry: float | timedelta = 10.0) -> None:
        if max_connections < 1:
            raise ConfigurationError(f"max_connections must be at least 1, not {max_connections!r}")
        object.__setattr__(self, "max_connections", max_connections)
        object.__setattr__(self, "keepalive_expiry", seconds(keepalive_expiry, "keepalive_expiry", positive=False))


class Configuration:
    """Where the Conductor server is, and how to talk to it.

    An argument given wins over the environment (`CONDUCTOR_SERVER_URL`, `CONDUCTOR_AUTH_KEY`, `CONDUCTOR_AUTH_SECRET`,
    read here and at no other time), which wins over the default, `http://localhost:8080/api`.

    Args:
        server_api_url: The server's API, such as `https://conductor.example/api`. `/api` is added to a URL without a
            path.
        debug: Log every request and answer (never bodies or secrets) at level DEBUG on the logger `conductor_async`.
        authentication_settings: The access key, for servers that ask for one.
        timeout: Seconds (or a timedelta) for one request: connect, send and read the whole answer.
        connect_timeout: Seconds (or a timedelta) of it to get a connection.
        retry: What is repeated, how often.
        limits: Connections.
        verify: True (the system's and certifi's authorities), the path of a file or folder of your own, or an
            `ssl.SSLContext`. False checks nothing, and warns.
        cert: The client's certificate: a path, or a tuple of certificate, key and, if there is one, the key's password.
        proxy: URL of an HTTP proxy. Without it the environment decides (`HTTPS_PROXY`, `NO_PROXY`, …) if `trust_env`.
        trust_env: Whether proxies and certificate authorities may come from the environment.
        headers: Sent with every request to the server.
        hooks: Called around every call: metrics, tracing.
        external_payload_hosts: Hosts, beside the server's own, from which payloads may be fetched that the server keeps
            outside.
        max_response_size: Bytes of the largest answer that is read, unpacked.
        auth_token_ttl: Seconds (or a timedelta) after which a token is old, unless the token itself says sooner.

    Raises:
        ConfigurationError: A value cannot work.
    """

    def __init__(
        self,
        server_api_url: str | None = None,
        debug: bool = False,
        authentication_settings: AuthenticationSettings | None = None,
        *,
        timeout: float | timedelta | None = None,
        connect_timeout: float | timedelta | None = None,
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        verify: bool | str | os.PathLike[str] | ssl.SSLContext = True,
        cert: str | tuple[str, str] | tuple[str, str, str] | None = None,
        proxy: str | None = None,
        trust_env: bool = True,
        headers: Mapping[str, str] | None = None,
        hooks: Sequence[CallHook] = (),
        external_payload_hosts: Sequence[str] = (),
        max_response_size: int = 64 * 1024 * 1024,
        auth_token_ttl: float | timedelta = timedelta(minutes=45),
    ) -> None:
        self.server_api_url, self._basic_auth = _normalise_url(
            server_api_url or server_url_from_env() or DEFAULT_SERVER_API_URL
        )
        self.debug = debug
        self.authentication_settings = authentication_settings or _authentication_from_environment()
        self.timeout = seconds(30.0 if timeout is None else timeout, "timeout")
        self.connect_timeout = seconds(10.0 if connect_timeout is None else connect_timeout, "connect_timeout")
        self.retry = retry or RetryPolicy()
        self.limits = limits or Limits()
        if cert is not None and not isinstance(verify, bool | str | os.PathLike):
            raise ConfigurationError(
                "cert has no effect beside an SSLContext as verify: load it there, with SSLContext.load_cert_chain()"
            )
        self.verify = verify
        self.cert = cert
        self.trust_env = trust_env
        self.headers = checked_headers(headers or {})
        self.hooks = tuple(hooks)
        self.external_payload_hosts = tuple(host.lower() for host in external_payload_hosts)
        self.max_response_size = max_response_size
        self.auth_token_ttl = seconds(auth_token_ttl, "auth_token_ttl")
        self._proxy = _checked_proxy(proxy) if proxy else None
        #: Whether anything was said here that only our own transport can do: it has no effect on an injected client.
        self.has_transport_settings = bool(
            proxy or cert or limits or connect_timeout is not None or verify is not True or not trust_env
        )
        if verify is False:
            warnings.warn(
                "verify=False: the server's certificate is not checked, so anyone on the way can read what is sent."
                " Give the path of your certificate authority instead: verify='/path/to/ca.pem'.",
                stacklevel=2,
            )
        if debug:
            logger.setLevel(logging.DEBUG)

    def __repr__(self) -> str:
        auth = ", authentication_settings=***" if self.authentication_settings else ""
        return f"Configuration({self.server_api_url!r}{auth})"

    def __reduce__(self) -> Any:
        raise TypeError("A Configuration cannot be pickled: it may hold secrets. Make one in the other process.")

    def default_headers(self) -> dict[str, str]:
        """What goes with every request to the server, the token excepted."""
        python = ".".join(map(str, sys.version_info[:2]))
        headers = {
            "User-Agent": f"conductor-async/{__version__} python/{python}",
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
        }
        if self._basic_auth:
            headers["Authorization"] = self._basic_auth
        return with_headers(headers, self.headers)

    def proxy_for(self, url: str) -> str | None:
        """The proxy to use for a URL: the one configured, else the environment's, else none."""
        if self._proxy or not self.trust_env:
            return self._proxy
        from urllib.request import getproxies, proxy_bypass  # slow to import: not before it is needed

        parts = urlsplit(url)
        if proxy_bypass(parts.netloc.rpartition("@")[2]):
            return None
        proxies = getproxies()
        found = proxies.get(parts.scheme) or proxies.get("all")
        return _checked_proxy(found) if found else None


def server_url_from_env() -> str | None:
    """The server that the environment names, if it names one."""
    return os.environ.get("CONDUCTOR_SERVER_URL")


def worker_environment() -> dict[str, str]:
    """The environment variables that may change workers' options, as they are now."""
    return {
        name: value for name, value in os.environ.items() if re.match(r"conductor[._]worker[._]", name, re.IGNORECASE)
    }


def _authentication_from_environment() -> AuthenticationSettings | None:
    key, secret = os.environ.get("CONDUCTOR_AUTH_KEY"), os.environ.get("CONDUCTOR_AUTH_SECRET")
    if bool(key) != bool(secret):
        given, missing = ("KEY", "SECRET") if key else ("SECRET", "KEY")
        raise ConfigurationError(f"CONDUCTOR_AUTH_{given} is set but CONDUCTOR_AUTH_{missing} is not: both are needed")
    return AuthenticationSettings(key_id=key, key_secret=secret) if key and secret else None


def _normalise_url(url: str) -> tuple[str, str | None]:
    """The API's URL without a trailing slash, and the Authorization header for a `user:password@` in it."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"server_api_url cannot be read as a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"server_api_url must look like http://localhost:8080/api, not {_without_userinfo(url)!r}:"
            " it needs http:// or https:// and a host"
        )
    if parts.query or parts.fragment:
        raise ConfigurationError(f"server_api_url must not have a query or a fragment: {_without_userinfo(url)!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None else f"{host}:{port}"
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/") or "/api"
    basic = None
    if parts.username is not None:
        userinfo = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        basic = "Basic " + base64.b64encode(userinfo.encode()).decode()
    return urlunsplit((parts.scheme, netloc, path, "", "")), basic


def _checked_proxy(proxy: str) -> str:
    url = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        usable = False
    if not usable:
        raise ConfigurationError(f"proxy must be an http:// or https:// URL, not {_without_userinfo(url)!r}")
    return url


def _without_userinfo(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", url)


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, if they can be sent.

    Raises:
        ConfigurationError: One cannot, or is not the caller's to say.
    """
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ConfigurationError(f"{name!r} is not the name of an HTTP header")
        if name.lower() in _NOT_THE_CALLERS:
            raise ConfigurationError(f"the header {name!r} is set by each request")
        if not isinstance(value, str) or re.search(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]", value):
            raise ConfigurationError(f"the value of header {name!r} must be a string without line breaks")
    return dict(headers)


def with_headers(headers: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Both, the others in place of those of the same name: however the names are written, each is there once."""
    replaced = {name.lower() for name in others}
    return {name: value for name, value in headers.items() if name.lower() not in replaced} | dict(others)
