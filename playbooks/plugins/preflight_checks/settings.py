"""Whether the settings module, its folder and the requirements are files of the source."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from .source import Source
from .values import Finding

DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
# mysite/settings.py, mysite/settings/dev.py, mysite/settings_local.py
SETTINGS_LIKE = re.compile(r"(^|.*/)(\w*settings\w*\.py|settings/\w+\.py)")


def module_files(directory: str, module: str) -> list[str]:
    """The paths in the source that a module may have."""
    if not DOTTED.fullmatch(module):
        return []
    head = f"{directory.strip('/')}/" if directory.strip("/.") else ""
    path = head + module.replace(".", "/")
    return [f"{path}.py", f"{path}/__init__.py"]


def check(source: Source, directory: str, module: str, requirements: str) -> Iterator[Finding]:
    """What is not in the source; of a requirement, whose files are not known, nothing."""
    if source.kind == "requirement":
        if directory:
            yield Finding(
                "site_directory", "site_directory is for a directory or a git source. Take it out."
            )
        if requirements:
            yield Finding(
                "site_requirements",
                f'site_requirements is "{requirements}": a source that is a requirement has no '
                "files; write a list",
            )
    if not DOTTED.fullmatch(module):
        yield Finding(
            "site_settings",
            f'site_settings is "{module}": no dotted name of a module{_dotted(module)}',
        )
        return
    if source.files is None:
        return
    if directory and not _has_folder(source.files, directory):
        yield Finding(
            "site_directory", f'site_directory is "{directory}": no such folder in the source'
        )
    elif not any(name in source.files for name in module_files(directory, module)):
        yield Finding("site_settings", _no_module(source, directory, module))
    if requirements and requirements.removeprefix("./") not in source.files:
        yield Finding("site_requirements", _no_requirements(source, requirements))


def _dotted(module: str) -> str:
    dotted = module.removeprefix("./").removesuffix(".py").strip("/").replace("/", ".")
    return f" (did you mean {dotted}?)" if DOTTED.fullmatch(dotted) else ""


def _has_folder(files: set[str], directory: str) -> bool:
    head = directory.strip("/")
    return ".." not in head.split("/") and any(name.startswith(f"{head}/") for name in files)


def _no_module(source: Source, directory: str, module: str) -> str:
    said = f'site_settings is "{module}": '
    ignored = [name for name in module_files(directory, module) if name in source.ignored]
    if ignored:
        return (
            f"{said}git ignores {ignored[0]}, so it is no part of a release. "
            "What stays out of git goes into site_env."
        )
    if module_files(directory, module)[0].removesuffix(".py") in {
        name.rpartition("/")[0] for name in source.files or ()
    }:
        inside = settings_modules(source, directory, below=module)
        if inside:
            return (
                f"{said}a folder without settings of its own (did you mean {' or '.join(inside)}?)"
            )
    below = sorted(
        name.removesuffix(tail).strip("/")
        for name in source.files or ()
        for tail in module_files("", module)
        if name.endswith("/" + tail)
    )
    if below:
        return f"{said}no module of that name in the source (is site_directory {below[0]}?)"
    return f"{said}no module of that name in the source{meant(source, directory, module)}"


def meant(source: Source, directory: str, module: str) -> str:
    """`` (did you mean gazette.settings?)``: the nearest of the source's settings modules."""
    there = settings_modules(source, directory)
    near = difflib.get_close_matches(module, there, 1, 0.6) or there[:3]
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def settings_modules(source: Source, directory: str, below: str = "") -> list[str]:
    """Modules of the source that are named like settings, nearest to the top first."""
    head = f"{directory.strip('/')}/" if directory.strip("/.") else ""
    found = []
    for name in source.files or ():
        if (
            name.startswith(head)
            and SETTINGS_LIKE.fullmatch(name)
            and not name.endswith("/settings/__init__.py")
        ):
            dotted = name[len(head) :].removesuffix(".py").replace("/", ".")
            if DOTTED.fullmatch(dotted) and (not below or dotted.startswith(below + ".")):
                found.append(dotted)
    return sorted(found, key=lambda name: (name.count("."), name))


def _no_requirements(source: Source, requirements: str) -> str:
    there = [
        name
        for name in source.files or ()
        if name.endswith((".txt", ".in")) and "requirements" in name
    ]
    near = difflib.get_close_matches(requirements, there, 1, 0.6) or sorted(there, key=len)[:1]
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f'site_requirements is "{requirements}": no such file in the source{meant}'
