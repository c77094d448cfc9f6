"""What an engine can be asked, one module for each resource of the REST API. `Engine` has all of it.

JSON objects come in as the dicts that arrived and go out as dicts to be sent. The engine keeps what it is given and
hands out what it holds: neither side changes such an object afterwards.
"""
