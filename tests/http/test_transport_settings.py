"""Proxies, certificates and limits have an effect: on asyncio (aiohttp) and trio (httpx's own transport)."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trustme

from conductor_async import APIError, Configuration, ConfigurationError, Limits, StartWorkflowRequest, TransportError
from conductor_async.errors import ConnectionFailedError
from tests.fakes.cases import each_case
from tests.fakes.clients import AT_ONCE, client_of
from tests.fakes.http_server import Peer, Request, raw_response, respond, serve, unused_port
from tests.fakes.proxy import forward

if TYPE_CHECKING:
    from conductor_async.client import ConductorClient

pytestmark = pytest.mark.anyio

OK = respond(json={"workflowId": "w", "status": "RUNNING"})


async def call(client: ConductorClient) -> None:
    assert (await client.workflow.get_workflow_status("w")).workflow_id == "w"


async def start(client: ConductorClient) -> None:
    await client.workflow.start_workflow(StartWorkflowRequest(name="w"))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


# -- certificates ----------------------------------------------------------------------------------------

CA = trustme.CA()


def server_tls(*names: str, wants_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(*(names or ("localhost",))).configure_cert(context)
    if wants_client:
        CA.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="module")
def client_cert(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder, issued = tmp_path_factory.mktemp("client"), CA.issue_cert("client@example.com")
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    return str(folder / "cert.pem"), str(folder / "key.pem")


@each_case("do", [call, start])
async def test_an_unknown_authority_is_rejected_before_sending(do: Any) -> None:
    async with serve(OK, tls=server_tls()) as server, client_of(server) as client:
        with pytest.raises(ConnectionFailedError, match=r"(?i)certificate.verify.failed"):
            await do(client)
        assert server.count() == 0


async def test_a_private_authority_by_path(ca_file: str) -> None:
    async with serve(OK, tls=server_tls()) as server:
        for verify in (ca_file, Path(ca_file), ssl.create_default_context(cafile=ca_file)):
            async with client_of(server, verify=verify) as client:
                await call(client)
        assert server.count() == 3


async def test_a_private_authority_from_the_environment(ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    async with serve(OK, tls=server_tls()) as server:
        async with client_of(server, trust_env=True) as client:
            await call(client)
        async with client_of(server, trust_env=False) as client:
            with pytest.raises(ConnectionFailedError):
                await call(client)


async def test_a_certificate_of_another_host_is_rejected(ca_file: str) -> None:
    async with serve(OK, tls=server_tls("other.example")) as server, client_of(server, verify=ca_file) as client:
        with pytest.raises(ConnectionFailedError, match=r"localhost"):
            await start(client)
        assert server.count() == 0


async def test_a_client_certificate(ca_file: str, client_cert: tuple[str, str]) -> None:
    async with serve(OK, tls=server_tls(wants_client=True)) as server:
        async with client_of(server, verify=ca_file, cert=client_cert) as client:
            await call(client)
        async with client_of(server, verify=ca_file) as client:
            with pytest.raises(TransportError, match=r"(?i)certificate|ssl|reset|EndOfStream|closed|disconnected"):
                await call(client)
        assert server.count() == 1


async def test_a_client_certificate_beside_an_ssl_context_is_rejected(client_cert: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="load_cert_chain"):
        Configuration("https://localhost", verify=ssl.create_default_context(), cert=client_cert)


@each_case("setting", [{"verify": "/nowhere/ca.pem"}, {"cert": "/nowhere/client.pem"}])
async def test_a_missing_certificate_file_is_named(setting: dict[str, str]) -> None:
    async with client_of("https://localhost:1/api", **setting) as client:
        with pytest.raises(ConfigurationError, match="/nowhere/"):
            await call(client)


async def test_verify_false_warns_once_and_works() -> None:
    async with serve(OK, tls=server_tls("other.example")) as server:
        with pytest.warns(UserWarning, match="verify=False") as warned:
            client = client_of(server, verify=False)
        async with client:  # where another warning would be an error
            await call(client)
            await call(client.with_options(timeout=1))
        assert len(warned) == 1
        assert warned[0].filename.endswith("clients.py")  # where the Configuration is made


# -- proxies ---------------------------------------------------------------------------------------------


async def test_a_configured_proxy_is_used() -> None:
    async with serve(OK) as server, serve(forward()) as proxy, client_of(server, proxy=proxy.origin) as client:
        await call(client)
        await call(client)
        assert proxy.count("GET", f"{server.url}/workflow/w/status") == 2
        assert server.count() == 2


async def test_a_tunnel_to_https(ca_file: str) -> None:
    async with serve(OK, tls=server_tls()) as server, serve(forward()) as proxy:
        async with client_of(server, proxy=proxy.origin, verify=ca_file) as client:
            await call(client)
        assert [(each.method, each.target) for each in proxy.requests] == [("CONNECT", f"localhost:{server.port}")]
        assert not any("authorization" in name for name in proxy.requests[0].headers)


async def test_a_tunnel_does_not_weaken_tls() -> None:
    async with serve(OK, tls=server_tls()) as server, serve(forward()) as proxy:
        async with client_of(server, proxy=proxy.origin) as client:
            with pytest.raises(ConnectionFailedError, match=r"(?i)certificate"):
                await start(client)
        assert server.count() == 0


@each_case("secure", [False, True], ids=["http", "https"])
async def test_an_https_proxy(ca_file: str, secure: bool) -> None:
    async with serve(OK, tls=server_tls() if secure else None) as server, serve(forward(), tls=server_tls()) as proxy:
        async with client_of(server, proxy=proxy.origin, verify=ca_file) as client:
            await call(client)
        assert (proxy.count(), server.count()) == (1, 1)


@each_case("secure", [False, True], ids=["http", "https"])
@each_case(("written", "meant"), [("ada:pw", "ada:pw"), ("ada%40corp:p%3Aw%2F", "ada@corp:p:w/")])
async def test_a_proxy_that_requires_authentication(ca_file: str, secure: bool, written: str, meant: str) -> None:
    async with serve(OK, tls=server_tls() if secure else None) as server, serve(forward(user=meant)) as proxy:
        with_user = proxy.origin.replace("//", f"//{written}@")
        async with client_of(server, proxy=with_user, verify=ca_file) as client:
            await call(client)
        assert server.count() == 1
        assert "proxy-authorization" not in server.requests[0].headers
        async with client_of(server, proxy=proxy.origin, verify=ca_file) as client:
            with pytest.raises(ConnectionFailedError if secure else APIError, match="407"):
                await call(client)


async def test_an_unreachable_proxy_is_a_failed_connection_that_hides_its_password() -> None:
    proxy = f"http://ada:c4n4ry@localhost:{await unused_port()}"
    async with client_of("http://conductor.example/api", proxy=proxy) as client:
        with pytest.raises(ConnectionFailedError, match="Nothing was sent") as caught:
            await start(client)
    assert "c4n4ry" not in str(caught.value) + repr(client.configuration)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_the_environments_proxy_is_used(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(OK) as server, serve(forward()) as proxy:
        monkeypatch.setenv(variable, proxy.origin)
        async with client_of(server, trust_env=True) as client:
            await call(client)
        assert proxy.count() == 1
        async with client_of(server, trust_env=False) as client:
            await call(client)
        for exempt in ("localhost", f"localhost:{server.port}", "*", "other, .localhost, localhost"):
            monkeypatch.setenv("NO_PROXY", exempt)
            async with client_of(server, trust_env=True) as client:
                await call(client)
        monkeypatch.setenv("NO_PROXY", "example.com")
        async with client_of(server, trust_env=True) as client:
            await call(client)
        assert proxy.count() == 2


@each_case(
    ("host", "exceptions", "excepted"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "192.168.0.0/16, 10.1.2.3/32", True),
        ("10.1.2.3:8080", "10.1.2.0/255.255.255.0", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("[fd00::7]:8080", "fd00::/8", True),
        ("[fd00::7]:8080", "fd00::7", True),
        ("[fd00::7]", "[fd00::7]", True),
        ("[fe00::7]", "fd00::/8", False),
        ("[fd00::7]", "10.0.0.0/8", False),
        ("api.example.com", "*.example.com", True),
        ("API.example.com", "*.Example.com", True),
        ("example.com", "*.example.com", False),
        ("api.example.com", ".example.com", True),
        ("badexample.com", "*.example.com", False),
        ("example.com", "10.0.0.0/8, /, 1/2/3, 10.0.0.0/99", False),
    ],
)
def test_no_proxy_excepts_hosts_networks_and_domains(host: str, exceptions: str, excepted: bool) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("http_proxy", "http://proxy:3128")
        environment.setenv("no_proxy", exceptions)
        proxy = Configuration().proxy_for(f"http://{host}/api")
        assert proxy == (None if excepted else "http://proxy:3128")


@pytest.mark.parametrize("variable", ["ALL_PROXY", "http_proxy"])
async def test_an_unusable_proxy_of_the_environment_is_named(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "socks5://ada:c4n4ry@localhost:1080")
    async with client_of("http://conductor.example/api", trust_env=True) as client:
        with pytest.raises(ConfigurationError, match=variable.upper()) as caught:
            await call(client)
        assert "c4n4ry" not in str(caught.value)
    async with client_of("http://conductor.example/api", trust_env=True) as client:
        monkeypatch.setenv("no_proxy", "*")
        assert client.configuration.proxy_for("http://conductor.example/api") is None


async def test_the_environments_proxy_for_https(ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(OK, tls=server_tls()) as server, serve(forward()) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"localhost:{proxy.port}")  # without http://, as some write it
        async with client_of(server, trust_env=True, verify=ca_file) as client:
            await call(client)
        assert proxy.count("CONNECT") == 1


@each_case("proxy", ["socks5://localhost:1080", "http://", "http://localhost:port", "ftp://x"])
async def test_an_invalid_proxy_is_rejected_at_once(proxy: str) -> None:
    with pytest.raises(ConfigurationError, match="proxy"):
        Configuration("http://localhost", proxy=proxy)


# -- limits and times ------------------------------------------------------------------------------------


@each_case("most", [1, 3])
async def test_max_connections_is_honoured(most: int) -> None:
    async def slowly(peer: Peer, request: Request) -> None:
        await anyio.sleep(0.01)
        await peer.send(raw_response(json={"workflowId": "w", "status": "RUNNING"}))

    async with serve(slowly) as server, client_of(server, limits=Limits(max_connections=most)) as client:
        async with anyio.create_task_group() as tasks:
            for _ in range(12):
                tasks.start_soon(call, client)
        assert server.most_open == most
        assert server.accepted == most


async def test_a_hundred_connections_may_be_open_and_are_kept() -> None:
    async def slowly(peer: Peer, request: Request) -> None:
        await anyio.sleep(0.2)
        await peer.send(raw_response(json={"workflowId": "w", "status": "RUNNING"}))

    async with serve(slowly) as server, client_of(server) as client:
        for _ in range(2):
            async with anyio.create_task_group() as tasks:
                for _ in range(60):
                    tasks.start_soon(call, client)
        assert server.accepted == 60  # the second round used those of the first


async def test_idle_connections_expire() -> None:
    async with serve(OK) as server, client_of(server, limits=Limits(keepalive_expiry=0.05)) as client:
        await call(client)
        await anyio.sleep(0.15)
        await call(client)
        assert server.accepted == 2


async def test_connect_timeout_bounds_the_wait_for_a_connection() -> None:
    async def never(peer: Peer, request: Request) -> None:
        await anyio.sleep(5)

    limits = Limits(max_connections=1)
    async with serve(never) as server:
        async with (
            client_of(server, limits=limits, connect_timeout=0.1, timeout=3) as client,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(_ignoring, client)
            await anyio.sleep(0.05)
            with anyio.fail_after(2), pytest.raises(ConnectionFailedError):
                await start(client)  # it never got the connection: provably not sent
            tasks.cancel_scope.cancel()
        assert server.count() == 1


async def _ignoring(client: ConductorClient) -> None:
    await client.with_options(retry=AT_ONCE).workflow.get_workflow_status("w")
