"""Who comes to a page, and what the user's own attributes say of each."""

from __future__ import annotations

import ast
import enum
import re

from django_split.analysis.source import last_name


class Visitor(enum.Enum):
    ANONYMOUS = "not signed in"
    MEMBER = "signed in"
    STAFF = "signed in, may do anything"

    @property
    def is_known(self) -> bool:
        return self is not Visitor.ANONYMOUS


SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

FOR_STAFF = re.compile(r"is_(staff|superuser|admin)\Z|a?has_(perm|perms|module_perms)\Z")
ABOUT_A_USER = re.compile(r"(is|can|may|has|should)_\w+\Z")
# What only somebody known may do, when it is asked of an object with the user as an argument.
ABOUT_THE_OWNER = re.compile(
    r"(can|may)_(edit|change|update|delete|add|create|manage|moderate|publish|be_\w*ed)(_\w+)?\Z"
    r"|(can|may)_(edit|change|delete)\w*\Z"
    r"|is_(owner|owned|author|member|moderator|editor|manager|admin)(_\w+)?\Z"
    r"|has_(\w+_)?perm(s|ission|issions)?\Z"
)
# What a chain that starts at the user ends in, when it asks whether there is something.
ASKS = frozenset({"exists", "count", "first", "all", "filter", "aexists", "acount", "afirst"})
IDENTITY = frozenset({"pk", "id", "username", "email", "is_authenticated"})


def has(visitor: Visitor, name: str) -> bool | None:
    """What `user.<name>` is worth, called or not; None where that is not known."""
    if name == "is_anonymous":
        return not visitor.is_known
    if FOR_STAFF.match(name):
        return visitor is Visitor.STAFF
    if name in IDENTITY or ABOUT_A_USER.match(name) or name in ASKS:
        return visitor.is_known
    return None


def is_among(method: str, other: ast.expr) -> bool | None:
    """Whether a request's method is one of those written there."""
    if last_name(other) == "SAFE_METHODS":
        return method in SAFE_METHODS
    if isinstance(other, ast.Constant):
        return method == other.value
    if isinstance(other, ast.Tuple | ast.List | ast.Set):
        return method in [one.value for one in other.elts if isinstance(one, ast.Constant)]
    return None


def not_(value: bool | None) -> bool | None:
    return None if value is None else not value


def all_(values: list[bool | None]) -> bool | None:
    if False in values:
        return False
    return None if None in values else True
