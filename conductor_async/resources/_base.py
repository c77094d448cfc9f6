"""The base of all resources: they share one `Api`, and accept camelCase spellings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._camel_case import CamelCaseMixin

if TYPE_CHECKING:
    from conductor_async._http.call import Api


class Resource(CamelCaseMixin):
    """One resource of the server. Get it from a client: `conductor.metadata`."""

    def __init__(self, api: Api) -> None:
        self._api = api
