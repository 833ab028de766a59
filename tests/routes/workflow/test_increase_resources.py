"""Give more resources to the tasks of a workflow that failed for want of them."""

from typing import Any

import pytest

from lockstep.workflow.increase import scaled


@pytest.mark.parametrize(("amount", "scale"), [(1e308, 10), (10**400, 0.5), (1, 10**400), (10**308, 10**10)])
def test_an_amount_that_would_be_past_all_bounds_stays(amount: float, scale: float) -> None:
    assert scaled({"memory": amount}, {"memory": scale}, 1) == {"memory": amount}


@pytest.mark.parametrize(
    ("requested", "scales"),
    [
        ({str(number): 1e300 for number in range(1_000)}, {str(number): 1 for number in range(1_000)}),
        ({"stdout": "/o", "memory": 1}, {"stdout": ["x" * 5_000], "memory": 1}),
    ],
    ids=["all together", "a path"],
)
def test_resources_that_could_not_be_bound_stay(requested: dict[str, Any], scales: Any) -> None:
    assert scaled(requested, scales, 1) == requested
