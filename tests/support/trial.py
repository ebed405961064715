"""A site on trial: planned and run as two instances, without nginx and gunicorn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django_split.plan import Plan
from django_split.render import Renderer

REPOSITORY = Path(__file__).resolve().parents[2]


class PlanFailedError(Exception):
    """`django-split plan` ended with another status than 0."""

    def __init__(self, status: int, output: str) -> None:
        super().__init__(f"status {status}: {output}")
        self.status, self.output = status, output


@dataclass
class Site:
    """`source` goes on sys.path, `place` is for all that a deployed site has outside of it."""

    source: Path
    settings: str
    place: Path
    python: str = sys.executable
    environment: dict[str, str] = field(default_factory=dict)
    # What the operator has answered once and for all.
    answers: dict[str, Any] = field(default_factory=dict)
    running: dict[str, Instance] = field(default_factory=dict)

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def deployment(self, **changes: Any) -> dict[str, Any]:
        """deploy.json as the role writes it."""
        roots = {}
        for name in ("static", "media", "data", "var"):
            (self.place / name).mkdir(parents=True, exist_ok=True)
            roots[f"{name}_root"] = str(self.place / name)
        return {
            "site": "trial",
            "hosts": ["trial.example"],
            "scheme": "http",
            "port": 8080,
            "source_root": str(self.source),
            "session": {"url": f"unix://{self.place}/store.sock?db=0"},
            **roots,
            **self.answers,
            **changes,
        }

    def plan(self, options: Sequence[str] = (), **changes: Any) -> Plan:
        """Run `django-split plan` and render both settings modules. Raises PlanFailedError.

        `changes` are of deploy.json, `options` of the command.
        """
        deploy = self.place / "deploy.json"
        deploy.write_text(json.dumps(self.deployment(**changes)))
        path = self.place / "plan.toml"
        done = self.run(
            [
                "-m",
                "django_split",
                "plan",
                "--settings",
                self.settings,
                "--deploy",
                str(deploy),
                "--output",
                str(path),
                *options,
            ],
            check=False,
        )
        if done.returncode:
            raise PlanFailedError(done.returncode, done.stdout + done.stderr)
        (self.place / "settings").mkdir(exist_ok=True)
        for instance in ("main", "admin"):
            module = Renderer().render(
                "settings/instance.py.j2",
                {
                    "site_name": "trial",
                    "site_settings": self.settings,
                    "plan_path": str(path),
                    "instance": instance,
                },
            )
            (self.place / "settings" / f"split_{instance}.py").write_text(module)
        return Plan.read(path)

    def run(
        self,
        arguments: list[str],
        settings: str = "",
        stdin: str = "",
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run Python in the site's environment."""
        done = subprocess.run(
            [self.python, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.source,
            env=self._environment(settings),
            timeout=300,
        )
        if check and done.returncode:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def manage(self, instance: str, *command: str, check: bool = True) -> str:
        """Run a management command of an instance and give what it prints."""
        done = self.run(["-m", "django", *command], settings=f"split_{instance}", check=check)
        return done.stdout + done.stderr

    def ask(self, instance: str, code: str) -> Any:
        """Run code in a process of the instance and give the value it leaves in `answer`."""
        if instance not in self.running:
            self.running[instance] = Instance(self.python, self._environment(f"split_{instance}"))
        return self.running[instance].ask(code)

    def get(self, instance: str, path: str, **headers: str) -> Response:
        """GET a page from an instance as a browser with no cookies but those given as `cookie`."""
        return Response(
            **self.ask(
                instance,
                f"""
                from django.test import Client
                client = Client(raise_request_exception=False)
                headers = {headers!r}
                extra = {{"HTTP_" + name.upper(): value for name, value in headers.items()}}
                reply = client.get({path!r}, HTTP_HOST="trial.example", **extra)
                body = reply.getvalue().decode("utf-8", "replace")
                cookies = [morsel.OutputString() for morsel in reply.cookies.values()]
                answer = {{"status": reply.status_code, "headers": dict(reply.headers),
                           "cookies": cookies, "body": body}}
                """,
            )
        )

    def stop(self) -> None:
        for instance in self.running.values():
            instance.stop()
        self.running.clear()

    def _environment(self, settings: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        # A test's own coverage follows into the processes.
        kept |= {name: value for name, value in os.environ.items() if name.startswith("COV")}
        paths = [self.place / "settings", self.source, REPOSITORY]
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            **({"DJANGO_SETTINGS_MODULE": settings} if settings else {}),
            **self.environment,
        }


@dataclass
class Response:
    status: int
    headers: Mapping[str, str]
    cookies: list[str]
    body: str


class Instance:
    def __init__(self, python: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [python, str(Path(__file__).with_name("worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, code: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(textwrap.dedent(code)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the instance ended with status {self.process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            raise AssertionError(reply["error"])
        return reply["answer"]

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()
