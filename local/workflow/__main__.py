"""Run a workflow with Jobmon's client, and resume it. The exit code is 0 only if each task ended as it must both times.

Everything that it starts ends with it.
"""

from local.start import end_with
from local.workflow.show import show


def main() -> int:
    """Run the workflow, and return the exit code."""
    return 0 if show() else 1


if __name__ == "__main__":
    end_with(main)
