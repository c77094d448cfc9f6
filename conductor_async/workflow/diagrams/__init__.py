"""Workflows as pictures: `mermaid` charts and `svg` drawings, both made from the `outline` of a definition."""
