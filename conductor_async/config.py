"""Where the server is and how to talk to it. The only module that reads the environment."""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
import warnings
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from conductor_async._headers import checked_headers, with_headers
from conductor_async._urls import checked_proxy_url, normalized_server_url
from conductor_async._version import __version__
from conductor_async.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from typing import Self

    from conductor_async.hooks import CallHook

__all__ = ["AuthenticationSettings", "Configuration", "Limits", "RetryPolicy"]

logger: logging.Logger = logging.getLogger("conductor_async")

DEFAULT_SERVER_API_URL = "http://localhost:8080/api"


def seconds(value: float | timedelta, name: str, *, positive: bool = True) -> float:
    """Returns a duration in seconds.

    Args:
        value: Seconds, or a timedelta.
        name: The parameter's name, for the error message.
        positive: Whether zero is an error.

    Raises:
        ConfigurationError: It is negative, zero if it must be positive, or not a number.
    """
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
    """The access key of a server that requires one (Orkes). Neither part is ever shown, logged or pickled.

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
    """How often, and after which delays, a request that is safe to repeat is retried.

    The delay before attempt n is random between 0 and `base_delay * 2**(n-2)`, at most `max_delay`. The server's
    `Retry-After` is added to it. If that is longer than `max_retry_after`, the error is raised at once; its
    `retry_after` has the number.

    Args:
        max_attempts: Attempts in all. 1 means: never retry.
        base_delay: The longest delay before the first retry, in seconds (or a timedelta).
        max_delay: The longest delay before any retry, in seconds (or a timedelta).
        max_retry_after: The longest `Retry-After` to wait for, in seconds (or a timedelta).
        budget: Tokens that all calls of a client share: a retry takes 10 (20 after a timeout), a success gives 1 back.
            Without tokens, calls fail at once instead of adding load to a server that is failing.
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
        put = functools.partial(object.__setattr__, self)  # the class is frozen
        put("max_attempts", max_attempts)
        put("base_delay", seconds(base_delay, "base_delay", positive=False))
        put("max_delay", seconds(max_delay, "max_delay", positive=False))
        put("max_retry_after", seconds(max_retry_after, "max_retry_after", positive=False))
        put("budget", budget)


@dataclass(frozen=True, slots=True, init=False)
class Limits:
    """How many connections a client may hold.

    Args:
        max_connections: The most connections at the same time. A long poll of a worker occupies one while it waits.
        keepalive_expiry: Seconds (or a timedelta) that an idle connection is kept. Some servers and load balancers
            close them after 5; a request on its way at that moment is lost.
    """

    max_connections: int
    keepalive_expiry: float

    def __init__(self, max_connections: int = 100, *, keepalive_expiry: float | timedelta = 4.0) -> None:
        if max_connections < 1:
            raise ConfigurationError(f"max_connections must be at least 1, not {max_connections!r}")
        object.__setattr__(self, "max_connections", max_connections)
        object.__setattr__(self, "keepalive_expiry", seconds(keepalive_expiry, "keepalive_expiry", positive=False))


class Configuration:
    """Where the Conductor server is, and how to talk to it.

    Arguments take precedence over the environment variables `CONDUCTOR_SERVER_URL`, `CONDUCTOR_AUTH_KEY` and
    `CONDUCTOR_AUTH_SECRET`, which the constructor reads. The default URL is `http://localhost:8080/api`.

    Args:
        server_api_url: The server's API, such as `https://conductor.example/api`. `/api` is added to a URL without a
            path.
        debug: Log every request and response (never bodies or secrets) at level DEBUG on the logger `conductor_async`.
        authentication_settings: The access key, for servers that require one.
        timeout: Seconds (or a timedelta) for one request: to connect, to send it and to read the complete response.
        connect_timeout: The part of it to get a connection, in seconds (or a timedelta).
        retry: How failed requests are retried.
        limits: How many connections the client may hold.
        verify: True (the system's and certifi's authorities), the path of a file or folder of your own, or an
            `ssl.SSLContext`. False disables the check, with a warning.
        cert: The client's certificate: a path, or a tuple of certificate, key and, if there is one, the key's password.
        proxy: The URL of an HTTP proxy. By default the environment's, if `trust_env` (`HTTPS_PROXY`, `NO_PROXY`, …).
        trust_env: Whether proxies and certificate authorities may come from the environment.
        headers: Headers to send with every request to the server.
        hooks: Observers of every call: metrics, tracing.
        external_payload_hosts: Hosts, beside the server's own, from which payloads in external storage may be fetched.
        max_response_size: The most bytes of a response, decompressed.
        auth_token_ttl: Seconds (or a timedelta) that a token lives, unless the token itself states a shorter lifetime.

    Raises:
        ConfigurationError: A value is invalid.
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
        self.server_api_url: str
        self.server_api_url, self._basic_auth = normalized_server_url(
            server_api_url or server_url_from_env() or DEFAULT_SERVER_API_URL
        )
        self.debug = debug
        authentication = authentication_settings or _authentication_from_env()
        self.authentication_settings: AuthenticationSettings | None = authentication
        self.timeout: float = seconds(30.0 if timeout is None else timeout, "timeout")
        self.connect_timeout: float = seconds(10.0 if connect_timeout is None else connect_timeout, "connect_timeout")
        self.retry: RetryPolicy = retry or RetryPolicy()
        self.limits: Limits = limits or Limits()
        if cert is not None and not isinstance(verify, bool | str | os.PathLike):
            raise ConfigurationError(
                "cert has no effect beside an SSLContext as verify: load it there, with SSLContext.load_cert_chain()"
            )
        self.verify = verify
        self.cert = cert
        self.trust_env = trust_env
        self.headers: dict[str, str] = checked_headers(headers or {})
        self.hooks: tuple[CallHook, ...] = tuple(hooks)
        self.external_payload_hosts: tuple[str, ...] = tuple(host.lower() for host in external_payload_hosts)
        self.max_response_size = max_response_size
        self.auth_token_ttl: float = seconds(auth_token_ttl, "auth_token_ttl")
        self._proxy = checked_proxy_url(proxy) if proxy else None
        #: Whether there are settings that only our own transports apply, which have no effect on an injected client.
        self.has_transport_settings: bool = bool(
            proxy or cert or limits or connect_timeout is not None or verify is not True or not trust_env
        )
        if verify is False:
            warnings.warn(
                "verify=False: the server's certificate is not checked, so an attacker on the way can read everything."
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

    @property
    def host(self) -> str:
        """The same as `server_api_url`: conductor-python's name."""
        return self.server_api_url

    @property
    def ui_host(self) -> str:
        """Where the server's user interface is: `CONDUCTOR_UI_SERVER_URL`, or the API's URL without `/api`."""
        return os.environ.get("CONDUCTOR_UI_SERVER_URL") or self.server_api_url.removesuffix("/api")

    def default_headers(self) -> dict[str, str]:
        """Returns the headers of every request to the server, except the token's."""
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
        """Returns the proxy to use for a URL: the configured one, else the environment's, else None."""
        if self._proxy or not self.trust_env:
            return self._proxy
        from conductor_async._proxies import environment_proxy  # slow to import: only when needed

        return environment_proxy(url)


def server_url_from_env() -> str | None:
    """Returns the server's URL from the environment, if it is set there."""
    return os.environ.get("CONDUCTOR_SERVER_URL")


def worker_environment() -> dict[str, str]:
    """Returns the environment variables that override workers' options, with their current values."""
    return {
        name: value for name, value in os.environ.items() if re.match(r"conductor[._]worker[._]", name, re.IGNORECASE)
    }


def _authentication_from_env() -> AuthenticationSettings | None:
    key, secret = os.environ.get("CONDUCTOR_AUTH_KEY"), os.environ.get("CONDUCTOR_AUTH_SECRET")
    if bool(key) != bool(secret):
        given, missing = ("KEY", "SECRET") if key else ("SECRET", "KEY")
        raise ConfigurationError(f"CONDUCTOR_AUTH_{given} is set but CONDUCTOR_AUTH_{missing} is not: both are needed")
    return AuthenticationSettings(key_id=key, key_secret=secret) if key and secret else None
