"""What the numbers of the sessions commands' options must be."""

from __future__ import annotations


def positive(text: str) -> int:
    amount = int(text)
    if amount < 1:
        raise ValueError(text)
    return amount


def number(text: str) -> float:
    amount = float(text)
    if not 0 <= amount < float("inf"):
        raise ValueError(text)
    return amount
