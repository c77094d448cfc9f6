"""The commands of an engine, one module for each resource of the REST API, such as `engine.workflows`.

Commands take and return JSON objects as they go over the wire. The engine keeps the objects that it gets and returns
the objects that it keeps: neither side may change them afterwards.
"""
