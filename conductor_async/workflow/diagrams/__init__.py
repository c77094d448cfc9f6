"""Diagrams of workflow definitions: Mermaid flowcharts, SVG, and what a notebook shows."""

from conductor_async.workflow.diagrams._mermaid import notebook_bundle, to_mermaid
from conductor_async.workflow.diagrams._svg import to_svg

__all__ = ["notebook_bundle", "to_mermaid", "to_svg"]
