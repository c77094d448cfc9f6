"""What code written for conductor-python expects: its factories and their names."""

from conductor_async.compat.clients import ConductorClients, OrkesClients

__all__ = ["ConductorClients", "OrkesClients"]
