"""How long Jobmon's programs wait before they send a request again: jobmon/core/requester.py and its defaults."""

from typing import Final

ATTEMPTS: Final = 10
"""http.retries_attempts in jobmon/core/defaults.yaml."""
JITTER: Final = 1.0
"""Seconds: each pause is longer by up to so much, at random."""


def pause(attempt: int) -> float:
    """Seconds after the attempt-th one failed, jitter apart: tenacity.wait_exponential_jitter(initial=1, exp_base=2).

    >>> [pause(attempt) for attempt in (1, 2, 3)]
    [1.0, 2.0, 4.0]
    """
    return float(2 ** (attempt - 1))
