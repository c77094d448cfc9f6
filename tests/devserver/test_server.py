"""Recorded requests to the real server get the same status, content type, fields and messages from the dev server."""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest

from conductor_async.embedded import EmbeddedConductor

RECORDED = Path(__file__).parents[1] / "transcripts" / "replay-3.32.1.jsonl"
EXCHANGES: list[dict[str, Any]] = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
CASES = {case: list(exchanges) for case, exchanges in groupby(EXCHANGES, key=lambda exchange: exchange["case"])}

LONG_POLL = re.compile(r"timeout=(?:1000|5000)\b")
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def at(value: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted(value)
    if isinstance(value, list):
        return [shape(value[0])] if value and isinstance(value[0], dict) else []
    return type(value).__name__


class Replay:
    """Sends recorded requests, with the ids of this run in place of the recorded ones."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.ids: dict[str, str] = {}

    def current(self, text: str) -> str:
        text = LONG_POLL.sub("timeout=50", text)  # how long an empty poll waits does not show in its response
        return ID.sub(lambda match: self.ids.get(match[0], match[0]), text)

    async def send(self, exchange: dict[str, Any]) -> httpx.Response:
        body, kind = exchange.get("body"), exchange.get("type")
        raw = body if isinstance(body, str) and (kind is None or "json" not in kind or body[:1] == "{") else None
        content = None if body is None else self.current(raw if raw is not None else json.dumps(body))
        headers = {"Content-Type": kind} if kind else {}
        return await self.client.request(
            exchange["method"], self.current(exchange["path"]), content=content, headers=headers
        )

    def learn(self, exchange: dict[str, Any], response: httpx.Response) -> None:
        for pointer, then in exchange.get("ids", {}).items():
            try:
                self.ids[then] = response.text if not pointer else at(response.json(), pointer)
            except (LookupError, ValueError):
                self.ids[then] = f"not in the response: {pointer}"


UNSTABLE = re.compile(
    r"(Required request body is missing|JSON parse error|Validation failed for argument|Content-Type '[^';]*).*"
    r"|(Failed to convert value of type 'java.lang.String' to required type '[^']*').*"
    r"|PreparedStatementCallback;.*?\] (?=A NOT NULL)|The mapper \[.*",
    re.DOTALL,
)


def stable(message: str) -> str:
    """The part of a message that does not depend on how the server is implemented."""
    return UNSTABLE.sub(lambda match: match[1] or match[2] or "", message)


def differences(exchange: dict[str, Any], response: httpx.Response, replay: Replay) -> list[str]:
    found = []
    if response.status_code != exchange["status"]:
        return [f"status {response.status_code}, was {exchange['status']}: {response.text[:200]}"]
    if "answer_type" in exchange and response.headers.get("content-type") != exchange["answer_type"]:
        found.append(f"type {response.headers.get('content-type')}, was {exchange['answer_type']}")
    if response.status_code >= 400 and isinstance(exchange.get("message"), str):
        said = response.json()
        if stable(said["message"]) != stable(replay.current(exchange["message"])):
            found.append(f"message {said['message']!r}, was {exchange['message']!r}")
        problems = sorted({each["path"] for each in said.get("validationErrors", [])})
        if problems != exchange.get("problems", []):
            found.append(f"problems {problems}, were {exchange.get('problems')}")
    elif isinstance(exchange.get("shape"), list):
        now = shape(response.json())
        if now != exchange["shape"]:
            found.append(f"shape {now}, was {exchange['shape']}")
    return found


NOT_HERE = ("/actuator", "/api-docs", "/swagger-ui/")
"""What the real server has beside its API and the dev server does not: it responds that there is no such endpoint."""


@pytest.mark.parametrize("case", CASES)
@pytest.mark.asyncio
async def test_recorded_requests_are_answered_as_by_the_real_server(case: str) -> None:
    async with (
        EmbeddedConductor() as embedded,
        httpx.AsyncClient(transport=embedded.transport, base_url="http://embedded") as client,
    ):
        replay = Replay(client)
        found = []
        for number, exchange in enumerate(CASES[case], start=1):
            response = await replay.send(exchange)
            if exchange.get("setup"):
                assert response.status_code == 200, response.text
                replay.learn(exchange, response)
                continue
            if exchange["path"].startswith(NOT_HERE):
                assert response.json()["message"].startswith("No static resource")
                continue
            different = differences(exchange, response, replay)
            found += [f"{number}. {exchange['method']} {exchange['path'][:80]}: {each}" for each in different]
            if not different or response.status_code == exchange["status"]:
                replay.learn(exchange, response)
        assert not found, "\n".join(found)
