"""Makes a URL from outside fit to be sent."""

from __future__ import annotations


def checked_url(url: str) -> str:
    """Returns a URL from outside in a form that can be sent: invalid characters are quoted, the host is IDNA-encoded.

    Raises:
        ValueError: It is not a valid URL.
    """
    import httpx  # takes a while: most URLs need no quoting

    try:
        return str(httpx.URL(url))
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
