"""Render the files of a role on the controller and hand them to the module of the same name.

What a task may say is in the module's documentation: ``ansible-doc -t module split_tree``.
"""

from __future__ import annotations

import base64
import difflib
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import Templar, trust_as_template
from jinja2 import Environment, TemplateSyntaxError, meta, nodes

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"

OPTIONS = {
    "manifest",
    "files",
    "overlay",
    "validate",
    "state",
    "force",
    "manifests_root",
    "templates",
}
KINDS = ("template", "content", "link", "directory")
KEYS = {
    "template": {"path", "template", "owner", "group", "mode", "secret", "vars"},
    "content": {"path", "content", "owner", "group", "mode", "secret"},
    "directory": {"path", "directory", "owner", "group", "mode"},
    "link": {"path", "link"},
}
# Only to find names in a template after an error; nothing is rendered with it.
PARSER = Environment()  # noqa: S701
MODE = re.compile(r"0?[0-7]{3,4}")


class EntryError(Exception):
    """What is wrong with one entry and how to mend it; the caller adds which entry.

    ``place`` is a value whose origin Ansible shows, when it is not the entry itself.
    """

    def __init__(self, message: str, place: Any = None) -> None:
        super().__init__(message)
        self.place = place


# Rendering: `django-split render` and the tests of the templates may use these two.


def renderer(templar: Templar, templates: Path, variables: Mapping[str, Any]) -> Templar:
    """A Templar that finds includes and imports in ``templates`` and knows ``variables``."""
    return templar.copy_with_new_env(
        searchpath=[str(templates)], available_variables=dict(variables)
    )


def render(templar: Templar, text: str) -> str:
    """The text of a file, rendered as ``ansible.builtin.template`` renders it.

    Raises AnsibleError, with the line where it can be known.
    """
    result = templar.template(trust_as_template(text), escape_backslashes=False)
    if result is None:
        return ""
    if not isinstance(result, str):
        # Ansible's templates are native: "{{ 5 }}" alone gives a number and loses the last newline.
        return str(result) + text[len(text.rstrip("\n")) :]
    return str(result)


def pack(listed: list[dict[str, Any]]) -> str:
    """The module's ``tree`` argument."""
    return base64.b64encode(zlib.compress(json.dumps(listed).encode())).decode()


# Checking an entry


def normal(path: Any, what: str = "path") -> str:
    """An absolute path with nothing to resolve in it."""
    if not isinstance(path, str) or not path:
        raise EntryError(f"{what} must be a text, it is {path!r}.")
    if not path.startswith("/"):
        raise EntryError(f"{what} {path} is relative. Write it from the root: /…")
    if ".." in path.split("/"):
        raise EntryError(f"{what} {path} has a '..' in it. Write the path that is meant.")
    if path == "/" or path != os.path.normpath(path) or path.startswith("//"):
        wanted = os.path.normpath("/" + path.lstrip("/"))
        raise EntryError(f"{what} {path} is not in its shortest form. Write {wanted}.")
    if "\0" in path or "\n" in path:
        raise EntryError(f"{what} {path!r} has a line end or NUL in it.")
    return path


def kind_of(entry: Mapping[str, Any]) -> str:
    given = [kind for kind in KINDS if kind in entry]
    if len(given) != 1:
        said = f"it has {' and '.join(given)}" if given else "it has none"
        raise EntryError(f"needs exactly one of {', '.join(KINDS)}; {said}.")
    return given[0]


def check_keys(entry: Mapping[str, Any], kind: str) -> None:
    for key in entry:
        if key not in KEYS[kind]:
            near = difflib.get_close_matches(str(key), KEYS[kind], 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(KEYS[kind]))}"
            raise EntryError(f"{key} is not a key of a {kind} entry ({hint}).")


def check_mode(entry: Mapping[str, Any], kind: str) -> str:
    if "mode" not in entry:
        example = "0755" if kind == "directory" else "0644"
        raise EntryError(f'has no mode. Say who may read it, for example mode: "{example}".')
    mode = entry["mode"]
    if not isinstance(mode, str) or not MODE.fullmatch(mode):
        raise EntryError(f'mode must be octal and in quotes, for example "0640"; it is {mode!r}.')
    return mode


def check_name(entry: Mapping[str, Any], key: str) -> str:
    name = entry.get(key, "root")
    if not isinstance(name, str) or not name or re.search(r"[\s:/]", name):
        raise EntryError(f"{key} must be a name (or an id in quotes), it is {name!r}.")
    return str(name)


def check_flag(entry: Mapping[str, Any], key: str) -> bool:
    value = entry.get(key, False)
    if not isinstance(value, bool):
        raise EntryError(f"{key} must be true or false, it is {value!r}.")
    return value


def check_text(entry: Mapping[str, Any], key: str) -> str:
    value = entry[key]
    if not isinstance(value, str) or (key == "link" and not value):
        hint = " | string }}" if not isinstance(value, str) else ""
        raise EntryError(
            f"{key} must be a text, it is {value!r}." + (f" Write {{{{ …{hint}." if hint else "")
        )
    return value


def template_file(templates: Path, name: Any) -> Path:
    """The file of a template; a missing one is answered with the nearest name."""
    if not isinstance(name, str) or not name or name.startswith("/") or ".." in name.split("/"):
        raise EntryError(f"template must be a path below {templates}, it is {name!r}.")
    path = templates / name
    if not path.is_file():
        known = [str(one.relative_to(templates)) for one in templates.rglob("*") if one.is_file()]
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise EntryError(f"there is no template {name} in {templates}.{hint}")
    return path


def check_tree(paths: list[tuple[str, str]]) -> None:
    """No path twice, and nothing below a file or a link. ``paths`` are (path, kind)."""
    kinds: dict[str, str] = {}
    for path, kind in paths:
        if path in kinds:
            raise EntryError(f"{path} is listed twice. Keep one of them.")
        kinds[path] = kind
    for path in kinds:
        for above in Path(path).parents:
            if kinds.get(str(above), "directory") != "directory":
                raise EntryError(
                    f"{path} is below {above}, which is listed as a {kinds[str(above)]}."
                )


# Finding the place of an error


def explain(error: AnsibleError, templates: Path, template: str) -> str:
    """Where in the template, or in one that it includes, the error is."""
    sources = dict(with_includes(templates, template))
    message = str(error)
    undefined = re.search(r"'([^']+)' is undefined|has no attribute '([^']+)'", message)
    if undefined:
        name = undefined.group(1) or undefined.group(2)
        places = [
            f"\n  {templates / source}, line {line}: {text.splitlines()[line - 1].strip()}"
            for source, text in sources.items()
            for line in uses(text, name)
        ]
        if places:
            mend = f"Define {name} in the inventory, or in the vars of this entry."
            return f"{message}{''.join(places)}\n{mend}"
        return (
            f"{message}, in the value of a variable that {templates / template} uses.\n"
            f"Define {name} in the inventory, or mend the variable that asks for it."
        )
    line = error_line(error)
    where = f"{templates / template}" + (f", line {line}" if line else "")
    return f"{message}\n  {where}"


def error_line(error: BaseException) -> int | None:
    """The template's line, from Jinja's own error or the traceback of the compiled template."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TemplateSyntaxError):
            return int(cause.lineno)
        frame = cause.__traceback__
        while frame is not None:
            compiled = frame.tb_frame.f_globals.get("__jinja_template__")
            if compiled is not None:
                return int(compiled.get_corresponding_lineno(frame.tb_lineno))
            frame = frame.tb_next
        cause = cause.__cause__ or cause.__context__
    return None


def with_includes(templates: Path, template: str) -> Iterator[tuple[str, str]]:
    """The template and all that it includes, extends or imports, as (name, text)."""
    todo, seen = [template], set()
    while todo:
        name = todo.pop(0)
        path = templates / name
        if name in seen or not path.is_file():
            continue
        seen.add(name)
        text = path.read_text()
        yield name, text
        try:
            parsed = PARSER.parse(text)
        except TemplateSyntaxError:
            continue
        todo += [one for one in meta.find_referenced_templates(parsed) if one]


def uses(text: str, name: str) -> list[int]:
    """Lines that need ``name``; ``name | default(…)`` and ``name is defined`` do not."""
    try:
        parsed = PARSER.parse(text)
    except TemplateSyntaxError:
        return []
    guarded = {
        id(node.node)
        for node in parsed.find_all((nodes.Filter, nodes.Test))
        if node.name in ("default", "d", "defined", "undefined")
    }
    lines = {
        node.lineno
        for node in parsed.find_all((nodes.Name, nodes.Getattr, nodes.Getitem))
        if id(node) not in guarded and name_of(node) == name
    }
    return sorted(lines)


def name_of(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Name):
        return node.name if node.ctx == "load" else None
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return str(node.arg.value)
    return None


class ActionModule(ActionBase):  # type: ignore[misc]
    """Checks the list, renders it, and runs the module once."""

    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        for key in arguments:
            if key not in OPTIONS:
                near = difflib.get_close_matches(str(key), OPTIONS, 1)
                hint = (
                    f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(OPTIONS))}"
                )
                raise AnsibleActionFail(f"split_tree has no option {key} ({hint}).")
        files = arguments.pop("files", None)
        templates = Path(arguments.pop("templates", None) or TEMPLATES)
        self._check_manifest(arguments)
        if arguments.get("state", "present") == "absent":
            if files:
                raise AnsibleActionFail(
                    "split_tree: state absent takes no files; it removes what the manifest lists."
                )
        else:
            listed = self._listed(files, templates, task_vars or {})
            if arguments["manifest"] in [one["path"] for one in listed]:
                raise AnsibleActionFail("split_tree: the manifest may not be one of the files.")
            arguments["tree"] = pack(listed)
        result.update(
            self._execute_module(
                module_name="split_tree", module_args=arguments, task_vars=task_vars
            )
        )
        return result

    def _check_manifest(self, arguments: dict[str, Any]) -> None:
        try:
            manifest = normal(arguments.get("manifest"), "manifest")
        except EntryError as error:
            raise AnsibleActionFail(f"split_tree: {error}") from None
        if not manifest.endswith(".json"):
            raise AnsibleActionFail(
                f"split_tree: manifest {manifest} must end in .json, or no other role finds it."
            )

    def _listed(
        self, files: Any, templates: Path, variables: dict[str, Any]
    ) -> list[dict[str, Any]]:
        if not isinstance(files, list):
            raise AnsibleActionFail(
                f"split_tree: files must be a list, it is {type(files).__name__}."
            )
        if not files:
            raise AnsibleActionFail(
                "split_tree: files is empty. "
                "To remove everything that the manifest lists, say state: absent."
            )
        templar = renderer(self._templar, templates, variables)
        listed = []
        for number, entry in enumerate(files, 1):
            path = (
                entry.get("path", "no path") if isinstance(entry, Mapping) else "not a dictionary"
            )
            try:
                if not isinstance(entry, Mapping):
                    raise EntryError(f"must be a dictionary, it is {entry!r}.")
                listed.append(self._entry(entry, templar, templates, variables))
            except EntryError as error:
                # Not "from error": Ansible would print the text of both.
                raise AnsibleActionFail(
                    f"split_tree: entry {number} of files ({path}): {error}",
                    obj=entry if error.place is None else error.place,
                ) from None
        try:
            check_tree([(one["path"], one["kind"]) for one in listed])
        except EntryError as error:
            raise AnsibleActionFail(f"split_tree: files: {error}") from None
        return listed

    def _entry(
        self,
        entry: Mapping[str, Any],
        templar: Templar,
        templates: Path,
        variables: dict[str, Any],
    ) -> dict[str, Any]:
        """One entry as the module wants it."""
        kind = kind_of(entry)
        check_keys(entry, kind)
        path = normal(entry.get("path"))
        if kind == "link":
            return {"path": path, "kind": "link", "data": check_text(entry, "link")}
        item: dict[str, Any] = {
            "path": path,
            "kind": "directory" if kind == "directory" else "file",
            "data": "",
            "owner": check_name(entry, "owner"),
            "group": check_name(entry, "group"),
            "mode": check_mode(entry, kind),
        }
        if kind == "directory":
            if not check_flag(entry, "directory"):
                raise EntryError(
                    "directory must be true; leave the entry out to have no directory."
                )
            return item
        item["secret"] = check_flag(entry, "secret")
        if kind == "content":
            item["data"] = check_text(entry, "content")
            return item
        extra = entry.get("vars") or {}
        if not isinstance(extra, Mapping):
            raise EntryError(f"vars must be a dictionary, it is {extra!r}.")
        if extra:
            templar = renderer(templar, templates, {**variables, **extra})
        template = template_file(templates, entry["template"])
        item["template"] = f"{templates.name}/{entry['template']}"
        item["data"] = self._render(templar, templates, entry["template"], template)
        return item

    def _render(self, templar: Templar, templates: Path, name: str, template: Path) -> str:
        try:
            return render(templar, self._loader.get_text_file_contents(str(template)))
        except AnsibleError as error:
            raise EntryError(explain(error, templates, name), error.obj) from error
