"""How a function's statements end: with a page, a redirect, or a refusal."""

from __future__ import annotations

import ast
import re

from django_split.analysis.names import Scope
from django_split.analysis.source import last_name

# Calls whose answer is a refusal, by name: Django's, and what sites call their own.
REFUSES = re.compile(
    r"(?i)(redirect_to_login|forbidden|notfound|not_found|handle_no_permission|permission_?denied"
    r"|access_?denied|unauthori[sz]ed|no_?permission|not_?authenticated|reject|login_required"
    r"|deny|denied)"
)
REDIRECTS = re.compile(r"(?i)\w*redirect\w*\Z")
LOGIN_PAGE = re.compile(r"(?i)log_?_?-?in|sign_?-?in|sign_?-?up|\bauth|account|register")
# What a refusal's template is called, or what it says.
SAYS = re.compile(
    r"(?i)\b40[13]\b|denied|forbidden|unauthori[sz]ed|log(ged)?[ _-]?in[ _-]required"
    r"|(not|be) (logged|signed) in\b|not[ _](authenticated|allowed|permitted)|no_?permission"
)
REFUSED = (401, 403, 404)
STATUS = re.compile(r"HTTP_40[134]_|UNAUTHORIZED|FORBIDDEN|NOT_FOUND")
# Exceptions that are an answer to the visitor, and no error of the program's.
DENIES = re.compile(r"(?i)http|denied|forbidden|unauthori|authenti|permission|login|suspicious")

REFUSAL = "refusal"
REDIRECT = "redirect"


def ends(body: list[ast.stmt]) -> bool:
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.If):
        return ends(last.body) and ends(last.orelse)
    return isinstance(last, ast.Return | ast.Raise)


def refuses(scope: Scope, body: list[ast.stmt]) -> str:
    """How these statements end: REFUSAL, REDIRECT (to where, is not known), or neither."""
    last = body[-1] if body else None
    if isinstance(last, ast.Raise):
        return REFUSAL
    if isinstance(last, ast.Return) and last.value is not None:
        return _refusing(scope, last.value)
    if isinstance(last, ast.If):
        ways = {refuses(scope, last.body), refuses(scope, last.orelse)}
        if "" not in ways:
            return REDIRECT if REDIRECT in ways else REFUSAL
    return ""


def denies(last: ast.stmt) -> bool:
    error = last.exc if isinstance(last, ast.Raise) else None
    return error is not None and bool(DENIES.search(last_name(getattr(error, "func", error))))


def _refusing(scope: Scope, answer: ast.expr, depth: int = 0) -> str:
    match answer:
        case ast.Await(value=value):
            return _refusing(scope, value, depth)
        case ast.Name(id=name) if depth < 2 and (made := scope.value(name)):
            return _refusing(scope, made, depth + 1)
        case ast.Tuple(elts=[ast.Constant(value=status), *_]):
            return REFUSAL if status in REFUSED else ""
        case ast.Call(func=function, args=arguments, keywords=keywords):
            name = last_name(function) or last_name(getattr(function, "func", function))
            if REFUSES.search(name):
                return REFUSAL
            if REDIRECTS.match(name):
                target = " ".join(ast.unparse(part) for part in (*arguments, *keywords))
                return REFUSAL if LOGIN_PAGE.search(target) else REDIRECT
            given = [*arguments[1:], *(k.value for k in keywords if "status" in (k.arg or ""))]
            refused = any(map(_is_refused, given)) or any(map(_speaks_of_it, arguments))
            return REFUSAL if refused else ""
    return ""


def _speaks_of_it(argument: ast.expr) -> bool:
    """Whether a template's name or a text in the answer says that it is one."""
    texts = (part.value for part in ast.walk(argument) if isinstance(part, ast.Constant))
    return any(isinstance(text, str) and SAYS.search(text) for text in texts)


def _is_refused(status: ast.expr) -> bool:
    if isinstance(status, ast.Constant):
        return status.value in REFUSED
    return bool(STATUS.search(last_name(status)))


def only_redirects(body: list[ast.stmt]) -> bool:
    answer = body[0] if len(body) == 1 else None
    if not isinstance(answer, ast.Return) or not isinstance(answer.value, ast.Call):
        return False
    return bool(REDIRECTS.match(last_name(answer.value.func)))
