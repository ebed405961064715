"""The templates that the roles install, rendered without Ansible.

Set up as Ansible sets Jinja up, so that both give the same file, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def templates_directory() -> Path:
    """Inside the installed package, or in the repository that this is run from."""
    installed = Path(__file__).parent / "templates"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "templates"


class Renderer:
    def __init__(self, directory: Path | None = None) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(directory or templates_directory()),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=False,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701 - configuration files and settings, not HTML
        )

    def names(self) -> list[str]:
        """Every template, as `nginx/nginx.conf.j2`."""
        return sorted(name for name in self.environment.list_templates() if name.endswith(".j2"))

    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        """Render one template. Raises jinja2.UndefinedError where a variable is missing."""
        return self.environment.get_template(name).render(variables)
