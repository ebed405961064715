"""`make soak`: many deploys under load, two at once, and a kill at every task of a deploy.

How much is said by the environment: SOAK_DEPLOYS (50), SOAK_PAIRS (20), SOAK_KILLS (every task of
a deploy), SOAK_IDLE (60 seconds without a deploy, to compare with).
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator

import pytest

from .crowd import Load
from .deploying import Server, server
from .elsewhere import elsewhere
from .test_newcomer import FIRST_SECONDS

pytestmark = [pytest.mark.soak, pytest.mark.fleet, pytest.mark.slow]

DEPLOYS = int(os.environ.get("SOAK_DEPLOYS", 50))
PAIRS = int(os.environ.get("SOAK_PAIRS", 20))
KILLS = int(os.environ.get("SOAK_KILLS", 1000))
REQUESTS_A_DEPLOY = 2000
IDLE_SECONDS = int(os.environ.get("SOAK_IDLE", 60))
TASK = re.compile(r"^TASK \[(.+)\] \*+$", re.MULTILINE)
EDITION = re.compile(r"edition \d+\.")


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("soak")
    with (
        server(place, main_workers=4, instance_gate_seconds=10) as fresh,
        elsewhere() as fresh.behind,
    ):
        fresh.play("site.yml", timeout=FIRST_SECONDS)
        yield fresh


def test_no_deploy_of_many_drops_a_request(soaked: Server) -> None:
    with Load(soaked.address, "--visitors", "8", "--slow", "1", "--pause", "0.1") as load:
        load.during("idle")
        time.sleep(IDLE_SECONDS)
        for number in range(DEPLOYS):
            mark = soaked.change()
            with load.phase("deploys", then="between"):
                soaked.play("playbooks/deploy.yml")
                assert mark in soaked.visitor.ask("/").text
            print(f"deploy {number + 1} of {DEPLOYS}: {load.so_far()}", flush=True)
        seen = load.end()
    print(seen)
    assert {name: each["failures"] for name, each in seen.items() if each["failed"]} == {}
    assert seen["deploys"]["requests"] >= REQUESTS_A_DEPLOY * DEPLOYS


def test_of_two_deploys_at_once_one_is_refused_and_told_who_deploys(soaked: Server) -> None:
    with Load(soaked.address, "--visitors", "3") as load:
        for number in range(PAIRS):
            mark = soaked.change()
            with load.phase("two at once", then="between"):
                runs = [soaked.start("playbooks/deploy.yml") for _ in range(2)]
                (one, first), (other, second) = (soaked.end(run) for run in runs)
            assert sorted((one == 0, other == 0)) == [False, True], first + second
            told = second if one == 0 else first
            assert "gazette is being deployed already: by " in told
            assert "Nothing has been changed." in told
            assert mark in soaked.visitor.ask("/").text
            print(f"pair {number + 1} of {PAIRS}", flush=True)
        seen = load.end()
    assert {name: each["failures"] for name, each in seen.items() if each["failed"]} == {}


def test_killed_at_every_task_the_site_is_up_and_the_next_run_finishes(soaked: Server) -> None:
    soaked.change()
    tasks = list(dict.fromkeys(TASK.findall(soaked.play("playbooks/deploy.yml"))))
    tasks = tasks[:: max(len(tasks) // KILLS, 1)]
    assert len(tasks) >= min(20, KILLS)
    with Load(soaked.address, "--visitors", "3") as load:
        for number, task in enumerate(tasks):
            mark = soaked.change()
            load.during(f"killed at {task}")
            run = soaked.start("playbooks/deploy.yml")
            assert run.stdout is not None
            for line in run.stdout:
                if line.startswith(f"TASK [{task}] "):
                    break
            # Somewhere in the task, and not at the same place of each.
            time.sleep(0.1 * (number % 7))
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
            soaked.end(run)
            assert EDITION.search(soaked.visitor.ask("/").text)
            load.during(f"finished after {task}")
            soaked.play("playbooks/deploy.yml")
            assert mark in soaked.visitor.ask("/").text
            assert mark in soaked.visitor.ask("/load/").text
            print(f"kill {number + 1} of {len(tasks)}: {task}", flush=True)
        seen = load.end()
    assert {name: each["failures"] for name, each in seen.items() if each["failed"]} == {}
