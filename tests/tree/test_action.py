"""What is said on the controller, before any host is asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from .conftest import Host, Play
from .plugin import action


def listed(files: Any, templates: Path, **variables: Any) -> list[dict[str, Any]]:
    """What the action plugin hands to the module."""
    plugin = action.ActionModule.__new__(action.ActionModule)
    plugin._loader = DataLoader()
    plugin._templar = Templar(loader=plugin._loader, variables=variables)
    result: list[dict[str, Any]] = plugin._listed(files, templates, variables)
    return result


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    directory = tmp_path / "templates"
    (directory / "nginx").mkdir(parents=True)
    return directory


GOOD = {"content": "x", "path": "/etc/x", "mode": "0644"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"content": "x", "path": "etc/x", "mode": "0644"}, "etc/x is relative"),
        ({"content": "x", "path": "/etc/../x", "mode": "0644"}, r"has a '\.\.' in it"),
        ({"content": "x", "path": "/etc//x/", "mode": "0644"}, "shortest form. Write /etc/x"),
        ({"content": "x", "path": "//etc/x", "mode": "0644"}, "Write /etc/x"),
        ({"content": "x", "path": "/", "mode": "0644"}, "shortest form"),
        ({"content": "x", "mode": "0644"}, "path must be a text"),
        ({"content": "x", "path": "/etc/x"}, r'has no mode.*mode: "0644"'),
        ({"content": "x", "path": "/etc/x", "mode": 420}, 'in quotes, for example "0640"'),
        ({"content": "x", "path": "/etc/x", "mode": "u=rw"}, "must be octal"),
        ({"content": "x", "path": "/etc/x", "mode": "0888"}, "must be octal"),
        ({**GOOD, "ownr": "root"}, "ownr is not a key.*did you mean owner"),
        ({**GOOD, "owner": 0}, "owner must be a name"),
        ({**GOOD, "secret": "yes"}, "secret must be true or false"),
        ({**GOOD, "content": 80}, r"content must be a text.*\| string"),
        ({**GOOD, "vars": {}}, "vars is not a key of a content entry"),
        ({**GOOD, "link": "y"}, "exactly one of .*it has content and link"),
        ({"path": "/etc/x", "mode": "0644"}, "exactly one of .*it has none"),
        ({"link": "y", "path": "/x", "mode": "0777"}, "mode is not a key of a link entry"),
        ({"link": "", "path": "/x"}, "link must be a text"),
        ({"directory": False, "path": "/x", "mode": "0755"}, "directory must be true"),
        ({"directory": True, "path": "/x"}, 'mode: "0755"'),
        ({"template": "nginx/site.j2", "path": "/x", "mode": "0644"}, "mean nginx/sites.j2"),
        ({"template": "../secrets", "path": "/x", "mode": "0644"}, "path below .*templates"),
        ({"template": "/etc/shadow", "path": "/x", "mode": "0644"}, "path below .*templates"),
        ("/etc/x", "must be a dictionary"),
    ],
)
def test_a_bad_entry_is_refused_with_its_number_and_the_mend(
    templates: Path, entry: Any, said: str
) -> None:
    (templates / "nginx" / "sites.j2").write_text("x")
    with pytest.raises(action.AnsibleActionFail, match=said) as caught:
        listed([{"content": "", "path": "/etc/fine", "mode": "0644"}, entry], templates)
    assert "entry 2 of files" in str(caught.value)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (GOOD, "/etc/x is listed twice"),
        ({"link": "a", "path": "/etc/x"}, "/etc/x is listed twice"),
        ({**GOOD, "path": "/etc/x/y"}, "/etc/x/y is below /etc/x, which is listed as a file"),
    ],
)
def test_entries_that_exclude_each_other_are_refused(
    templates: Path, second: Any, said: str
) -> None:
    with pytest.raises(action.AnsibleActionFail, match=said):
        listed([GOOD, second], templates)


def test_an_empty_list_is_an_error_and_not_an_uninstall(templates: Path) -> None:
    with pytest.raises(action.AnsibleActionFail, match="say state: absent"):
        listed([], templates)
    with pytest.raises(action.AnsibleActionFail, match="must be a list"):
        listed(None, templates)


def failure(templates: Path, name: str, **variables: Any) -> str:
    with pytest.raises(action.AnsibleActionFail) as caught:
        listed([{"template": name, "path": "/x", "mode": "0644"}], templates, **variables)
    return str(caught.value)


def test_an_undefined_variable_is_named_with_template_and_line(templates: Path) -> None:
    (templates / "a.j2").write_text("one\ntwo {{ known }}\nthree {{ site_nam }}\n")
    message = failure(templates, "a.j2", known=1)
    assert "'site_nam' is undefined" in message
    assert f"{templates}/a.j2, line 3: three {{{{ site_nam }}}}" in message


def test_an_undefined_attribute_in_an_included_template_is_found_there(templates: Path) -> None:
    (templates / "a.j2").write_text("{% include 'nginx/b.j2' %}\n")
    (templates / "nginx" / "b.j2").write_text("\n\nlisten {{ proxy.prot }};\n")
    message = failure(templates, "a.j2", proxy={"port": 80})
    assert f"{templates}/nginx/b.j2, line 3: listen {{{{ proxy.prot }}}};" in message


def test_a_guarded_use_is_not_blamed(templates: Path) -> None:
    (templates / "a.j2").write_text(
        "{{ x | default(1) }}\n{% if x is defined %}{% endif %}{{ x }}\n"
    )
    message = failure(templates, "a.j2")
    assert "line 2" in message
    assert "line 1" not in message


def test_an_undefined_variable_inside_a_variable_is_told_apart(templates: Path) -> None:
    (templates / "a.j2").write_text("{{ outer }}\n")
    trusted = action.trust_as_template("{{ inner }}")
    message = failure(templates, "a.j2", outer=trusted)
    assert "'inner' is undefined, in the value of a variable" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [("a\n{% if x %}\n", "line 2"), ("a\nb\n{{ 1 / 0 }}\n", "line 3"), ("{% foo %}", "line 1")],
)
def test_other_errors_have_their_line(templates: Path, text: str, said: str) -> None:
    (templates / "a.j2").write_text(text)
    assert f"a.j2, {said}" in failure(templates, "a.j2", x=1)


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{{ port }}\n", "80\n"),
        ("{{ port }}", "80"),
        ("{% if false %}x{% endif %}", ""),
        ("{# only a comment #}\n", ""),
        ("a\n\n", "a\n\n"),
        (r"{{ 'a\tb' }} \d+", "a\tb \\d+"),
        ("{{ text }}\n", "{{ not a template }}\n"),
        ("{% for one in names %}\n{{ one }};\n{% endfor %}\n", "a;\nb;\n"),
    ],
)
def test_a_template_renders_to_text_as_the_template_task_does(
    templates: Path, text: str, rendered: str
) -> None:
    (templates / "a.j2").write_text(text)
    entry = {"template": "a.j2", "path": "/x", "mode": "0644"}
    variables = {"port": 80, "text": "{{ not a template }}", "names": ["a", "b"]}
    assert listed([entry], templates, **variables)[0]["data"] == rendered


def test_an_entrys_own_variables_win_and_stay_with_it(templates: Path) -> None:
    (templates / "a.j2").write_text("{{ x }}{{ y }}")
    entry = {"template": "a.j2", "path": "/1", "mode": "0644"}
    items = listed(
        [{**entry, "vars": {"x": "!"}}, {**entry, "path": "/2"}], templates, x="?", y="y"
    )
    assert [item["data"] for item in items] == ["!y", "?y"]


def tree(host: Host, **options: Any) -> dict[str, Any]:
    return {
        "split_tree": {
            "manifest": str(host.manifest()),
            "manifests_root": str(host.manifests),
            "templates": str(host.base / "templates"),
            **options,
        }
    }


def test_a_run_installs_and_the_second_changes_nothing(play: Play, host: Host) -> None:
    (play.directory / "templates" / "a.j2").write_text("listen {{ listen_port }};\n")
    task = tree(host, files=[{"template": "a.j2", "path": host.path("etc/a"), "mode": "0644"}])
    checked = play([task], "--check", "--diff", listen_port=8080)
    assert "changed=1" in checked.stdout, checked.stdout + checked.stderr
    assert "+listen 8080;" in checked.stdout
    assert [path.name for path in host.base.iterdir()].count("var") == 0
    first = play([task], listen_port=8080)
    assert "changed=1" in first.stdout, first.stdout + first.stderr
    assert host.read("etc/a") == "listen 8080;\n"
    second = play([task], listen_port=8080)
    assert "changed=0" in second.stdout, second.stdout + second.stderr
    assert "WARNING" not in second.stdout + second.stderr
    third = play([task], "--diff", listen_port=8081)
    assert "-listen 8080;\n+listen 8081;" in third.stdout


def test_an_undefined_variable_is_said_once_and_where_it_comes_from(play: Play, host: Host) -> None:
    (play.directory / "templates" / "a.j2").write_text("{{ outer }}\n")
    files = [{"template": "a.j2", "path": host.path("a"), "mode": "0644"}]
    ran = play([tree(host, files=files)], outer="{{ inner_value }}")
    assert ran.returncode == 2
    report, fatal = (
        ran.stdout.split("fatal:") if "[ERROR]" in ran.stdout else (ran.stderr, ran.stdout)
    )
    assert fatal.count("'inner_value' is undefined") == 1
    assert f"Origin: {play.directory}/play.yml:6:" in report


def test_a_complaint_reaches_the_operator(play: Play, host: Host) -> None:
    (play.directory / "templates" / "a.j2").write_text("lisssten {{ listen_port }};\n")
    ran = play(
        [
            tree(
                host,
                files=[{"template": "a.j2", "path": host.path("a"), "mode": "0644"}],
                validate=[
                    {"command": ["sh", "-c", "echo bad {{stage}}{}; exit 1".format(host.path("a"))]}
                ],
            )
        ],
        listen_port=8080,
    )
    assert ran.returncode == 2
    assert f"bad {host.path('a')}" in ran.stdout
    assert "is rendered from templates/a.j2" in ran.stdout
    assert "the host is as it was" in ran.stdout


def test_uninstalling_by_a_task(play: Play, host: Host) -> None:
    host.run(host.file("a", "x\n"))
    ran = play([tree(host, state="absent")])
    assert "changed=1" in ran.stdout, ran.stdout + ran.stderr
    assert not Path(host.path("a")).exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fils": []}, "no option fils (did you mean files?)"),
        ({"files": [], "manifest": "x.json"}, "manifest x.json is relative"),
        ({"files": [], "manifest": "/var/x"}, "must end in .json"),
        ({"files": [GOOD], "state": "absent"}, "state absent takes no files"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    play: Play, host: Host, options: dict[str, Any], said: str
) -> None:
    ran = play([tree(host, **options)])
    assert ran.returncode == 2
    assert said in ran.stdout


def test_the_documentation_and_the_module_name_the_same_options() -> None:
    from .plugin import module

    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert documented.keys() == module.ARGUMENTS.keys()
    assert documented.keys() - {"tree"} == action.OPTIONS
    keys = set().union(*action.KEYS.values())
    assert documented["files"]["suboptions"].keys() == keys
    validators = module.ARGUMENTS["validate"]["options"]
    assert documented["validate"]["suboptions"].keys() == validators.keys()
    for name, spec in module.ARGUMENTS.items():
        assert documented[name].get("default") == spec.get("default"), name


@pytest.mark.slow
def test_the_oldest_python_of_a_host_will_do(play: Play, host: Host) -> None:
    """Debian 11's 3.9. Run where such a Python is to be found."""
    found = sorted(Path("/").glob("root/.pyenv/versions/3.9.*/bin/python3.9"))
    found += [path for path in (Path("/usr/bin/python3.9"),) if path.exists()]
    if not found:
        pytest.skip(f"no Python 3.9 here, only {sys.version.split()[0]}")
    play.python = str(found[0])
    files = [{"content": "x\n", "path": host.path("a"), "mode": "0644"}]
    ran = play([tree(host, files=files, validate=[{"command": ["true"]}])])
    assert "changed=1" in ran.stdout, ran.stdout + ran.stderr
