"""Names that code written for conductor-python uses."""

from conductor_async.compat._clients import ConductorClients, OrkesClients

__all__ = ["ConductorClients", "OrkesClients"]
