"""What more than one program takes on its command line."""

import argparse


def above_zero(text: str, what: str, most: float) -> float:
    """The number.

    Raises:
        ArgumentTypeError: it is none, not above 0, or more than most.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of {what} above 0")
    return number


def not_empty(text: str) -> str:
    """The text: a variable that is set to nothing is no answer.

    Raises:
        ArgumentTypeError: it is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text
