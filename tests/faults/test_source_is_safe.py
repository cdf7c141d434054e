"""What SECURITY.md promises about the source, held by looking at the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_runs import ROOT

PACKAGES = ("trajplan", "phantoms/trajplan_phantoms", "plugins/napari_trajplan")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

FORBIDDEN_IMPORTS = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "pty", "telnetlib",
    "socket", "http", "urllib.request", "ftplib", "smtplib", "requests", "xmlrpc", "webbrowser",
}  # fmt: skip
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "tempfile.mktemp",
    "shutil.unpack_archive", "pickle.load", "pickle.loads", "np.loadtxt",
}  # fmt: skip
MAY_CONNECT = {"samples"}
"""Rooms that may open a connection, when a person asked for a download; none exists yet."""

TALKS_TO_ITS_OWN_PROCESS = {"plugins/napari_trajplan/_wire.py"}
"""The pipe between the window and the worker that it started: no file, no socket, nobody else can write to it."""


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def faults_of(source: str) -> Iterator[str]:
    """What is forbidden in a piece of source, with its line."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name in FORBIDDEN_IMPORTS or name.split(".")[0] in FORBIDDEN_IMPORTS - {"urllib.request"}:
                yield f"line {node.lineno}: import {name}"
        if isinstance(node, ast.Call):
            called = _name(node.func)
            if called in FORBIDDEN_CALLS:
                yield f"line {node.lineno}: {called}()"
            for keyword in node.keywords:
                value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
                if (keyword.arg, value) in {("shell", True), ("allow_pickle", True), ("autoescape", False)}:
                    yield f"line {node.lineno}: {keyword.arg}={value}"
            if called.endswith(".extractall") or (called.split(".")[-1] == "Environment" and not _escapes(node)):
                yield f"line {node.lineno}: {called}()"


def _escapes(call: ast.Call) -> bool:
    return any(k.arg == "autoescape" for k in call.keywords)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_source_file_can_run_what_it_reads(path: Path) -> None:
    if MAY_CONNECT & set(path.parts):
        pytest.skip("downloads on request; tested by its own room")
    found = list(faults_of(path.read_text(encoding="utf-8")))
    if path.relative_to(ROOT).as_posix() in TALKS_TO_ITS_OWN_PROCESS:
        assert [one.split(": ")[1] for one in found] == ["import pickle"]
        return
    assert found == []


@pytest.mark.parametrize(
    "bad",
    [
        "import pickle",
        "from yaml import load",
        "import yaml",
        "x = eval('1')",
        "import os\nos.system('ls')",
        "import subprocess\nsubprocess.run('ls', shell=True)",
        "import numpy as np\nnp.load('a', allow_pickle=True)",
        "import jinja2\njinja2.Environment()",
        "from jinja2 import Environment\nEnvironment(autoescape=False)",
        "archive.extractall('.')",
        "from urllib import request",
    ],
)
def test_the_looking_finds_what_is_forbidden(bad: str) -> None:
    assert list(faults_of(bad))


def test_no_template_turns_escaping_off_and_no_page_loads_anything() -> None:
    templates = [p for p in (ROOT / "trajplan" / "reporting" / "templates").rglob("*") if p.is_file()]
    assert templates
    for path in templates:
        text = path.read_text(encoding="utf-8").replace(" ", "")
        for forbidden in ("|safe", "autoescapefalse", "<script", 'src="http', "url(http", "@import"):
            assert forbidden not in text, f"{forbidden} in {path.name}"
