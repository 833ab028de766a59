"""What the walk draws from: who, when, and what is said."""

from collections.abc import Sequence
from typing import Final, TypeVar

from hypothesis import strategies as st

C = TypeVar("C")
PICK: Final = st.integers(0, 1023)
"""Which of those that there are; or, as bits, which of them."""
INCREMENT: Final = st.sampled_from([279, 90, 300, 279.5, 0, -1, 30, 5, 267.84, 270, -0.001, 400 * 86_400, -1e9, 1e9])
SKEW: Final = st.sampled_from([0, 0, 1, -1, 300, -300, 0.25, -60])
PASSING: Final = st.sampled_from([1, 30, 0.001, 100, 11, 270, 279, 279.001, 280, 600, 560, 90_000, 400 * 86_400])
STARTS: Final = st.sampled_from([1_700_000_000.0, 2.0**31 - 300, 1_699_162_200.0, 1_000_000_000.0, 4_102_444_799.5])
"""Seconds since 1970: among them where 31 bits end, an hour that comes twice elsewhere, and the end of a century."""
WORKER: Final = st.sampled_from(
    [
        {"process_group_id": 11, "nodename": "n1"},
        {"process_group_id": "11", "nodename": "n1"},
        {"process_group_id": 22, "nodename": "n2", "distributor_id": "D2"},
        {"process_group_id": 11, "nodename": None, "distributor_id": "D1"},
        {"process_group_id": 11, "nodename": "n1", "distributor_id": "D1"},
    ]
)
OUTPUT: Final = st.sampled_from(
    [
        {},
        {"stdout": "/out", "stderr": None, "distributor_id": "D1"},
        {"stdout": "/long" * 50, "stderr": "/err", "distributor_id": None},
        {"stdout": "", "stderr": "/Ä" * 90, "distributor_id": "D3"},
    ]
)
LOGS: Final = st.sampled_from(
    [{}, {"stdout_log": "said", "stderr_log": "", "nodename": "n1"}, {"stdout_log": "\ud800"}]
)
WORDS: Final = st.sampled_from(["boom", "killed", "boom: 💥", "\ud800 cut", ""])
FAILURE: Final = st.sampled_from("EZUF")
MOST_ATTEMPTS: Final = st.sampled_from([3, 1, 2, 0, 4])
ARRAYS: Final = {1: (1, 1), 2: (1, 2), 3: (2, 1)}
"""Workflow and task template version of each array."""
KEYS: Final = [
    {"workflow_args_hash": 10**76 + 1, "tool_version_id": 1, "dag_id": 11, "task_hash": 10**75},
    {"workflow_args_hash": 10**76 + 1, "tool_version_id": 2, "dag_id": 11, "task_hash": 10**75},
    {"workflow_args_hash": 0, "tool_version_id": 1, "dag_id": 11, "task_hash": 10**75},
    {"workflow_args_hash": 10**76 + 1, "tool_version_id": 1, "dag_id": 2**63 - 1, "task_hash": 7},
]
"""What makes a workflow the same one; the first two have the tasks."""
LIMIT: Final = st.sampled_from([10, 0, None, 2**31 - 1])
ATTRIBUTES: Final = st.sampled_from([{}, {"project": "a"}, {"project": "b", "Ä": ""}, {"project": None}])
USER: Final = st.sampled_from(["ann", "ann", "bob"])
RESOURCES: Final = [1, 2, 3, 999]
"""One of which nobody has bound."""
SCALES: Final = [{}, {"memory": 0.5}, {"memory": [3, 5]}, {"cores": 1}]
UNKNOWN_RUN: Final = 777
UNKNOWN_WORKFLOW: Final = 88
RUN_AHEAD: Final = st.sampled_from([90, 90, 90_000, 1e9, 0, -1])
"""Seconds until a run's client will be heard of."""


def choose(pick: int, among: Sequence[C]) -> C:
    return among[pick % len(among)]
