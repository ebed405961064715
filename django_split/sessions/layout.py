"""Figures for people."""

from __future__ import annotations


def size(number: int) -> str:
    """Bytes, in the largest unit that leaves at least one."""
    amount, units = float(number), ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while amount >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:,.0f} {units[0]}" if units[0] == "bytes" else f"{amount:,.1f} {units[0]}"


def seconds(amount: float) -> str:
    return f"{amount:,.1f} s"
