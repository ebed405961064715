"""What a view shows, as far as it is written: templates by their names, and widgets of forms."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from django.apps import apps
from django.conf import settings
from django.forms import BaseForm, BaseFormSet, Widget
from django.views.generic.base import TemplateResponseMixin

from django_split.analysis.evidence import place
from django_split.analysis.layers import methods, peel
from django_split.analysis.objects import is_a
from django_split.analysis.source import home, is_machinery, node_of

# Not every text with a dot in it is a template, but what is none is not found by an engine either.
NAME = re.compile(r"[\w./-]+\.[a-z0-9]{2,6}\Z")
# A view that calls half of the site is not followed to its end.
MOST = 200


@dataclass(frozen=True)
class Shown:
    """`how` is "template" or "widget", `name` the template's."""

    how: str
    name: str
    where: str = ""


@functools.cache
def of_view(callback: Any) -> tuple[Shown, ...]:
    """What a view shows: by its class's attributes, by texts in its source, by its forms."""
    return tuple(dict.fromkeys(_of_view(callback)))


def _of_view(callback: Any) -> Iterator[Shown]:
    layers = peel(callback)
    functions = [found for found in layers.functions if not is_machinery(home(found))]
    for cls in layers.classes:
        yield from _of_class(cls, layers.initkwargs)
        for written in methods(cls).values():
            functions += [f for f in peel(written).functions if not is_machinery(home(f))]
    seen: set[int] = set()
    while functions and len(seen) < MOST:
        function = functions.pop(0)
        if id(function) not in seen:
            seen.add(id(function))
            for found in _of_function(function):
                if isinstance(found, Shown):
                    yield found
                else:
                    functions.append(found)


def of_models() -> Iterator[Shown]:
    """A model that is a page names its template itself."""
    for model in apps.get_models():
        for name in ("template", "template_name", "ajax_template"):
            value = inspect.getattr_static(model, name, None)
            if isinstance(value, str) and NAME.match(value):
                yield Shown("template", value, place(model))


def of_settings() -> Iterator[Shown]:
    """Templates that the settings name, as those an editor may choose from."""
    for name in dir(settings):
        if name.isupper():
            for text in texts(getattr(settings, name)):
                if NAME.match(text) and text.endswith((".html", ".txt")):
                    yield Shown("template", text)


def texts(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text in a setting, as far down as settings go. A lazy one is not woken."""
    if is_a(value, str):
        yield value
    elif is_a(value, dict, list, tuple, set, frozenset) and depth < 6:
        for item in value.values() if is_a(value, dict) else value:
            yield from texts(item, depth + 1)


def _of_class(cls: type, given: dict[str, Any]) -> Iterator[Shown]:
    where = place(cls)
    names = {name for base in cls.__mro__ for name in base.__dict__}
    for name in sorted(name for name in names if name.endswith("template_name")):
        value = given.get(name, inspect.getattr_static(cls, name, None))
        if isinstance(value, str):
            yield Shown("template", value, where)
    if issubclass(cls, TemplateResponseMixin) and (name := _default(cls, given)):
        yield Shown("template", name, where)
    for name in ("form_class", "authentication_form"):
        form = given.get(name) or inspect.getattr_static(cls, name, None)
        if is_a(form, type):
            yield from _of_form(form)


def _default(cls: type, given: dict[str, Any]) -> str:
    """The template that a generic view of a model takes when it is told none."""
    suffix = inspect.getattr_static(cls, "template_name_suffix", None)
    model = given.get("model") or inspect.getattr_static(cls, "model", None)
    queryset = given.get("queryset", inspect.getattr_static(cls, "queryset", None))
    meta = getattr(model or getattr(queryset, "model", None), "_meta", None)
    return f"{meta.app_label}/{meta.model_name}{suffix}.html" if meta and suffix else ""


def _of_form(cls: type) -> Iterator[Shown]:
    if issubclass(cls, BaseFormSet):
        form = inspect.getattr_static(cls, "form", None)
        if is_a(form, type) and not issubclass(form, BaseFormSet):
            yield from _of_form(form)
    elif issubclass(cls, BaseForm):
        for field in getattr(cls, "base_fields", {}).values():
            for widget in _widgets(field.widget):
                name = getattr(widget, "template_name", None)
                if isinstance(name, str):
                    yield Shown("widget", name, place(cls))


def _widgets(widget: Any) -> Iterator[Widget]:
    """A widget and those that it is made of."""
    yield widget
    inner = [*getattr(widget, "widgets", ()), getattr(widget, "widget", None)]
    for part in inner:
        if isinstance(part, Widget):
            yield from _widgets(part)


# Many views call the same functions, and several questions are asked of each view.
@functools.cache
def _of_function(function: FunctionType) -> tuple[Shown | FunctionType, ...]:
    """The texts in a function's source, and what its names stand for: forms, widgets, functions."""
    return tuple(dict.fromkeys(_said_by(function)))


def _said_by(function: FunctionType) -> Iterator[Shown | FunctionType]:
    node = node_of(function)
    for part in ast.walk(node) if node else ():
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            if NAME.match(part.value):
                yield Shown("template", part.value, place(function))
        elif isinstance(part, (ast.Name, ast.Attribute)):
            yield from _of_value(_value(function, part), function)


def _of_value(value: Any, function: FunctionType) -> Iterator[Shown | FunctionType]:
    if isinstance(value, str) and NAME.match(value):
        yield Shown("template", value, place(function))
    elif is_a(value, type):
        if issubclass(value, Widget) and isinstance(getattr(value, "template_name", None), str):
            yield Shown("widget", value.template_name, place(function))
        yield from _of_form(value)
    elif is_a(value, FunctionType) and not is_machinery(home(value)):
        yield value


def _value(function: FunctionType, node: ast.Name | ast.Attribute) -> Any:
    """What a name, or a module's name, stands for in a function; None where that is not known."""
    if isinstance(node, ast.Name):
        return function.__globals__.get(node.id)
    if isinstance(node.value, ast.Name):
        module = function.__globals__.get(node.value.id)
        return vars(module).get(node.attr) if inspect.ismodule(module) else None
    return None
