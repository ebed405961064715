"""What the numbers of the commands' options may be, as argparse asks for it in `type=`."""

from __future__ import annotations


def positive(text: str) -> int:
    """From 1 on."""
    amount = int(text)
    if amount < 1:
        raise ValueError(text)
    return amount


def count(text: str) -> int:
    """From 0 on."""
    amount = int(text)
    if amount < 0:
        raise ValueError(text)
    return amount


def number(text: str) -> float:
    """From 0 on, with a fraction."""
    amount = float(text)
    if not 0 <= amount < float("inf"):
        raise ValueError(text)
    return amount


def seconds(text: str) -> float:
    """More than none."""
    amount = number(text)
    if not amount:
        raise ValueError(text)
    return amount
