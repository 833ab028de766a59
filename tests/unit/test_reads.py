"""No query reads a partition whole before it is cut: each takes a bounded number, or it is said what ends it."""

import ast
from collections.abc import Iterator
from typing import Final

from local.template import ROOT

PACKAGE: Final = ROOT / "shared/lockstep"
HELD: Final = {
    "array.read._members_from": "keys of the steps of one partition: STEPS_PER_PARTITION",
    "task_instance.read._start_items": "a specification, its task and the first instance",
}
"""What is held as a whole, by the function that queries it."""
STREAMED: Final = {
    "array.run_index._indexed": "MOST_INDEXED and the time",
    "array.pages._batches": "MOST_BATCHES and the time",
    "array.pages._failed_in": "MOST_EXAMINED and the time",
    "array.step._look_up": "the first entry",
    "task_instance.read.has_errors": "the first entry",
    "task_instance.read.read_errors": "the page that passes LISTED_BYTES",
    "task_instance.read.read_newest_error": "the page that passes LISTED_BYTES",
    "task_template.read._below": "the page that passes READ_BYTES, or MOST_TEMPLATES",
    "workflow.bind.matching_workflows": "MOST_MATCHING",
    "workflow.counts._listed": "MOST_SEEN, MOST_LISTED, MOST_FAILED and the time",
    "workflow.listing.list_workflows": "MOST_EXAMINED and the time",
    "workflow.progress._changes": "MOST_TOLD and the time",
    "workflow.tasks.task_ranges": "MOST_RANGES and the time, by its callers",
}
"""What is read page by page as it is needed, and what ends it."""


def _queries() -> Iterator[tuple[str, bool]]:
    """Each function that queries, and whether it takes a bounded number."""
    for file in PACKAGE.rglob("*.py"):
        module = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef) and function.name != "query":
                bounded = {id(call) for taken in _calls(function, "islice") for call in _calls(taken, "query")}
                yield from ((f"{module}.{function.name}", id(call) in bounded) for call in _calls(function, "query"))


def _calls(within: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(within):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def test_each_query_takes_a_bounded_number_or_it_is_said_what_ends_it() -> None:
    assert {name for name, bounded in _queries() if not bounded} == HELD.keys() | STREAMED.keys()
    assert any(bounded for _, bounded in _queries())
