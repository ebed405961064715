from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest
from template_cases import REPOSITORY, TEMPLATES, VARIABLES, Render

from django_split.render import Renderer


@pytest.fixture(scope="session")
def plain() -> Render:
    """Renders a template as `django-split render` does; what is named replaces the ordinary."""
    renderer = Renderer(TEMPLATES)

    def render(name: str, **changed: Any) -> str:
        return renderer.render(name, {**VARIABLES, **changed})

    return render


@pytest.fixture(scope="session")
def ansible() -> Render:
    """Renders a template as the roles do: Ansible's own Templar, through the code of split_tree."""
    sys.path.insert(0, str(REPOSITORY / "playbooks" / "plugins" / "action"))
    try:
        from ansible.parsing.dataloader import DataLoader
        from ansible.plugins.loader import init_plugin_loader
        from ansible.template import Templar

        init_plugin_loader()
        import split_tree
    finally:
        sys.path.pop(0)

    def render(name: str, **changed: Any) -> str:
        variables: Mapping[str, Any] = {**VARIABLES, **changed}
        templar = split_tree.renderer(Templar(DataLoader()), TEMPLATES, variables)
        text: str = split_tree.render(templar, (TEMPLATES / name).read_text())
        return text

    return render
