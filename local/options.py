"""Types of command-line options that several programs share."""

import argparse


def above_zero(text: str, what: str, most: float) -> float:
    """Parse a number.

    Raises:
        ArgumentTypeError: the text is not a number, or not above 0 and at most `most`.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of {what} above 0")
    return number


def not_empty(text: str) -> str:
    """Return the text.

    Raises:
        ArgumentTypeError: the text is empty, as from a make variable that is set to nothing.
    """
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text
