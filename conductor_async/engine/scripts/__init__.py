"""JavaScript and jq: what definitions name, and what runs it."""
