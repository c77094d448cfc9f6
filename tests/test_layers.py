"""No modules import each other in a circle. Which layers may import which is checked by `lint-imports`."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Returns modules that import each other, in order; empty if there are none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_not_even_for_annotations() -> None:
    graph = grimp.build_graph("conductor_async", exclude_type_checking_imports=False, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    # Errors name models in annotations, and models raise errors.
    imports["conductor_async.errors"] -= graph.find_descendants("conductor_async.models") | {"conductor_async.models"}
    assert circle(imports) == []


def test_a_circle_is_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) in (["b", "c", "b"], ["c", "b", "c"])
