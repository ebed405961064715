"""A browser's name for people. A guess: a User-Agent is what its sender likes it to be."""

from __future__ import annotations

# The first that matches. Each names itself and, for old sites' sake, most of those below it.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser(agent: str) -> str:
    """ "Firefox, Linux"; what names no browser is given as it is, up to its first space."""
    name = next((name for sign, name in BROWSERS if sign in agent), "")
    if not name:
        return agent.partition(" ")[0]
    system = next((name for sign, name in SYSTEMS if sign in agent), "")
    return f"{name}, {system}" if system else name
