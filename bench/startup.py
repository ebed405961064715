"""What the two settings modules add to the start of a process: base against main and admin.

    python bench/startup.py [--times 40] [--wagtail]

Imports the base, main's and the admin's settings in fresh processes, in turn, so that a busy
machine is busy for all three, and prints medians in milliseconds: by the clock, and of processor
time, which others' work disturbs less. Django itself is imported before the clock starts, as it is
when settings load. The bound for what is added is 20 ms (issue 3).
The whole start (django.setup() and the URLconf) is measured too: it is not promised.

The site is the generated one of 300 URLs; with --wagtail what `wagtail start` makes, in a
virtualenv under .cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import generated

REPOSITORY = Path(__file__).resolve().parents[1]

IMPORT = """
import sys, time
import django.conf
begun = time.perf_counter(), time.process_time()
__import__(sys.argv[1])
print((time.perf_counter() - begun[0]) * 1000, (time.process_time() - begun[1]) * 1000)
"""
WHOLE = """
import os, sys, time
import django.conf
begun = time.perf_counter(), time.process_time()
os.environ["DJANGO_SETTINGS_MODULE"] = sys.argv[1]
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
print((time.perf_counter() - begun[0]) * 1000, (time.process_time() - begun[1]) * 1000)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--wagtail", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="django-split-bench-") as place:
        site = Path(place, "site")
        python, base = wagtail(site) if options.wagtail else big(site)
        plan = site / "plan.toml"
        run(
            *(python, site, "-m", "django_split", "plan", "--settings", base),
            *("--output", str(plan), "--no-crawl", "--public-sessions", "none"),
            *("--main-anonymous-views", "*"),
        )
        modules = {
            base: base,
            "main": "django_split.instances.main",
            "admin": "django_split.instances.admin",
        }
        size = len(plan.read_bytes()) / 1024
        print(f"{base}, a plan of {size:.0f} KiB, {options.times} times each, medians in ms")
        for what, code in (("settings", IMPORT), ("whole start", WHOLE)):
            times: dict[str, list[tuple[float, ...]]] = {name: [] for name in modules}
            # The first fills the file system's cache and writes the .pyc files.
            for number in range(options.times + 1):
                for name, module in modules.items():
                    done = run(python, site, "-c", code, module, DJANGO_SPLIT_PLAN=str(plan))
                    if number:
                        times[name].append(tuple(map(float, done.splitlines()[-1].split())))
            before = medians(times[base])
            for name, measured in times.items():
                clock, processor = medians(measured)
                print(
                    f"  {what:12} {name:24} {clock:6.1f} ({clock - before[0]:+5.1f})   "
                    f"processor {processor:6.1f} ({processor - before[1]:+5.1f})"
                )


def medians(measured: list[tuple[float, ...]]) -> tuple[float, float]:
    clock, processor = (statistics.median(column) for column in zip(*measured, strict=True))
    return clock, processor


def big(site: Path) -> tuple[str, str]:
    generated.write(site)
    return sys.executable, "big.settings"


def wagtail(site: Path) -> tuple[str, str]:
    sys.path.insert(0, str(REPOSITORY))
    from tests.support.virtualenvs import virtualenv

    python = virtualenv(["wagtail==8.0.1", "redis"])
    site.mkdir()
    run(str(python), site, "-m", "wagtail.bin.wagtail", "start", "mysite", str(site))
    run(str(python), site, "manage.py", "migrate", "-v0")
    return str(python), "mysite.settings.dev"


def run(python: str, site: Path, *words: str, **environment: str) -> str:
    done = subprocess.run(
        [python, *words],
        cwd=site,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{site}", **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{words}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
