"""The size of an item in bytes, by AWS's published rules: DynamoDB item sizes and formats."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

_CONTAINER: Final = 3
"""Bytes of a list or a map beside its elements, each of which takes one more."""


def item_size(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the bytes of an item: names and values.

    >>> item_size({"pk": {"S": "TASK#1"}, "n": {"N": "12"}})
    11
    """
    return sum(len(name.encode()) + value_size(typed) for name, typed in item.items())


def value_size(typed: Mapping[str, Any]) -> int:
    """Return the bytes of a value in DynamoDB's JSON.

    As botocore has it, and as JSON has it: bytes are bytes, or base64.

    >>> value_size({"S": "é"}), value_size({"BOOL": True}), value_size({"L": [{"S": "ab"}]})
    (2, 1, 6)
    >>> value_size({"B": b"ab"}), value_size({"B": "YWI="})
    (2, 2)
    """
    [(kind, value)] = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return number_size(value)
        case "B":
            return len(value if isinstance(value, bytes) else b64decode(value))
        case "L":
            return _CONTAINER + sum(1 + value_size(each) for each in value)
        case "M":
            return _CONTAINER + sum(1 + len(name.encode()) + value_size(each) for name, each in value.items())
        case "BOOL" | "NULL":
            return 1
    raise ValueError(f"Lockstep stores no {kind}")


def number_size(number: str) -> int:
    """Return the bytes of a number: one for two digits, one beside them, and one for a minus.

    Digits pair up from the decimal point. Zeros at both ends do not count.

    >>> [number_size(number) for number in ("0", "7", "-7", "100", "12345", "1700000000.123456")]
    [1, 2, 3, 2, 4, 9]
    """
    whole, _, fraction = number.lstrip("-").partition(".")
    whole = whole.lstrip("0")
    pairs = whole.zfill(len(whole) + len(whole) % 2) + fraction + "0" * (len(fraction) % 2)
    digits = [pairs[at : at + 2] for at in range(0, len(pairs), 2)]
    significant = "".join(pair if pair != "00" else "  " for pair in digits).strip()
    return (len(significant) + 1) // 2 + 1 + (number.startswith("-") and bool(significant))
