"""How long `django-split plan` takes on a site of 300 URLs.

    python bench/analysis.py [--urls 300] [--times 5]

Makes the site in a temporary folder, migrates it, and prints the median, the range, and what part
the crawl has. The bound is 30 s (issue 3).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import generated

REPOSITORY = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--urls", type=int, default=300)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="django-split-bench-") as place:
        site = Path(place, "site")
        generated.write(site, options.urls)
        apps = sorted(path.name for path in site.glob("app*"))
        run(site, "django", "makemigrations", "-v0", *apps)
        run(site, "django", "migrate", "-v0")
        measured: dict[str, list[float]] = {"whole": [], "without the crawl": []}
        for _ in range(options.times):
            measured["whole"].append(plan(site))
            measured["without the crawl"].append(plan(site, "--no-crawl"))
        for what, seconds in measured.items():
            print(
                f"{options.urls} URLs, {what}: median {statistics.median(seconds):.1f} s "
                f"({min(seconds):.1f} to {max(seconds):.1f}, {len(seconds)} times)"
            )


def plan(site: Path, *options: str) -> float:
    begun = time.monotonic()
    done = run(site, "django_split", "plan", "--settings", "big.settings", *options, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    return time.monotonic() - begun


def run(
    site: Path, module: str, *words: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=site,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "DJANGO_SETTINGS_MODULE": "big.settings",
        },
        capture_output=True,
        text=True,
        check=check,
    )


if __name__ == "__main__":
    main()
