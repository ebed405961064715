"""gunicorn's file, as gunicorn reads it."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import pytest
from gunicorn.config import Config
from template_cases import Render


def read(text: str, tmp_path: Path) -> Config:
    """As gunicorn.app.base reads it: names that it does not know are left alone."""
    file = tmp_path / "gunicorn.conf.py"
    file.write_text(text)
    config = Config()
    for name, value in runpy.run_path(str(file)).items():
        if name in config.settings:
            config.set(name, value)
    return config


@pytest.mark.parametrize("instance", ["main", "admin"])
def test_numbers_are_the_instances_own(plain: Render, tmp_path: Path, instance: str) -> None:
    numbers: dict[str, Any] = {"instance_workers": 3, "instance_threads": 4, "instance_timeout": 50}
    config = read(plain("gunicorn/gunicorn.conf.py.j2", instance=instance, **numbers), tmp_path)
    assert (config.workers, config.threads, config.timeout) == (3, 4, 50)
    assert config.graceful_timeout == 50
    assert config.proc_name == f"gazette-{instance}"


def test_nothing_listens_but_the_socket_that_the_unit_names(plain: Render, tmp_path: Path) -> None:
    text = plain("gunicorn/gunicorn.conf.py.j2")
    config = read(text, tmp_path)
    assert "bind" not in runpy.run_path(str(tmp_path / "gunicorn.conf.py"))
    assert config.control_socket_disable
    assert config.umask == 0o117


def test_no_header_is_believed(plain: Render, tmp_path: Path) -> None:
    config = read(plain("gunicorn/gunicorn.conf.py.j2"), tmp_path)
    assert (config.forwarder_headers, config.secure_scheme_headers) == ([], {})
    assert config.forwarded_allow_ips == []
    assert config.header_map == "drop"


@pytest.mark.parametrize(("wanted", "log"), [(True, "-"), (False, None)])
def test_access_log(plain: Render, tmp_path: Path, wanted: bool, log: str | None) -> None:
    text = plain("gunicorn/gunicorn.conf.py.j2", instance_access_log=wanted)
    assert read(text, tmp_path).accesslog == log


def test_heartbeat_is_in_memory_where_there_is_shared_memory(plain: Render, tmp_path: Path) -> None:
    config = read(plain("gunicorn/gunicorn.conf.py.j2"), tmp_path)
    assert config.worker_tmp_dir == ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)


def test_nginx_closes_an_idle_connection_before_gunicorn_does(
    plain: Render, tmp_path: Path
) -> None:
    """The other way round, a request can meet a connection that is just being closed: a 502."""
    config = read(plain("gunicorn/gunicorn.conf.py.j2"), tmp_path)
    site = plain("nginx/site.conf.j2", main_threads=4)
    assert "    keepalive_timeout 1s;\n" in site
    assert config.keepalive > 1
