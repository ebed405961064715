"""A role's own variables, rendered as Ansible renders them: what operators read is made there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from tests.support.plugins import REPOSITORY


def role_variable(role: str, name: str, needed: Iterable[str] = (), **variables: Any) -> Any:
    """A variable of a role's vars/main.yml.

    Takes the names of the role's others that it needs, and what a run has besides.
    """
    text = yaml.safe_load((REPOSITORY / "roles" / role / "vars" / "main.yml").read_text())
    own = {each: trust_as_template(text[each]) for each in (name, *needed)}
    return Templar(DataLoader(), variables={**own, **variables}).template(own[name])
