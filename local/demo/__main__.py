"""Run the demo. The exit code is 0 only if every task ended as it must. Everything that it starts ends with it."""

from local.demo.show import show
from local.start import end_with


def main() -> int:
    """Run the demo, and return the exit code."""
    return 0 if show() else 1


if __name__ == "__main__":
    end_with(main)
