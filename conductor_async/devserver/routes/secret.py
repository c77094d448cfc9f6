"""Secrets: `/secrets`. As on a server without the AI module, names are listed, and nothing is read or changed."""

from __future__ import annotations

from conductor_async.devserver.routing import Route

__all__ = ["ROUTES"]

ROUTES = (Route("GET", "/secrets", lambda runtime, request: runtime.engine.secrets.get_names()),)
