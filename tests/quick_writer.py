"""A program that writes a small result folder again and again, to be killed, filled up and raced by the fault tests.

``quick_writer.py loop OUT FIRST TIMES`` writes generations FIRST, FIRST + 1, ... of `files`.
``quick_writer.py steps OUT`` kills a fresh process before each single file-system step of one replacement and prints
what was found, as JSON. ``quick_writer.py cut OUT LIMIT...`` lets no file grow beyond each limit (bytes).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from trajplan.errors import InputError
from trajplan.exports.atomic import staged_folder, write_atomically

NAMES = ("plan.json", "report.html", "figures/a.png", "figures/b.png")
_WATCHED = (
    "os.rename",
    "os.link",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "open",
    "ctypes.dlsym",
    "shutil.rmtree",
    "os.listdir",
)


def content(name: str, generation: int) -> bytes:
    """What a file holds in one generation: every line names it, so that a mixture shows."""
    return f"{name} of generation {generation}\n".encode() * (300 + 17 * generation % 50)


def write_generation(out: Path, generation: int) -> None:
    """One whole result; odd generations have a picture more."""
    with staged_folder(out) as folder:
        (folder / "figures").mkdir()
        for name in (*NAMES, *(("figures/odd.png",) if generation % 2 else ())):
            if name == "plan.json":
                write_atomically(folder / name, content(name, generation))
            else:
                (folder / name).write_bytes(content(name, generation))


def state_of(out: Path) -> str:
    """``none``, ``whole N`` or what is wrong with the folder; foreign files are not looked at."""
    files = {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
    ours = {k: v for k, v in files.items() if "foreign" not in k and not k.startswith(".")}
    if not ours:
        return "none"
    generations = {int(v.split(b"\n")[0].rsplit(b" ", 1)[1]) for k, v in ours.items() if k != "manifest.json"}
    if len(generations) != 1:
        return f"mixed {sorted(generations)}"
    generation = generations.pop()
    expected = {*NAMES, "manifest.json"} | ({"figures/odd.png"} if generation % 2 else set())
    if set(ours) != expected:
        return f"partial {sorted(ours)}"
    cut = [k for k, v in ours.items() if k != "manifest.json" and v != content(k, generation)]
    return f"cut {cut}" if cut else f"whole {generation}"


def next_start(out: Path) -> None:
    """The beginning of another run, which then fails before it has written anything."""
    try:
        with staged_folder(out):
            raise KeyError
    except KeyError:
        return


def _die_at(step: int) -> None:
    """End this process, as a kill would, just before its `step`-th file-system step."""
    seen = 0

    def hook(event: str, _arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in _WATCHED:
            seen += 1
            if seen == step:
                os._exit(137)

    sys.addaudithook(hook)


def _steps(out: Path) -> list[dict[str, Any]]:
    found = []
    step = 0
    while True:
        step += 1
        before = state_of(out)
        child = os.fork()
        if child == 0:
            _die_at(step)
            write_generation(out, step)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        after_kill = state_of(out)
        next_start(out)
        after_restart = state_of(out)
        rest = [p.name for p in (*out.parent.iterdir(), *out.iterdir()) if p.name.startswith(".")]
        found.append(
            {"step": step, "status": status, "before": before, "killed": after_kill, "next": after_restart,
             "rest": rest}
        )  # fmt: skip
        if status == 0:
            return found


def _cut(out: Path, limits: list[int]) -> list[dict[str, Any]]:
    import resource

    found = []
    for limit in limits:
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            try:
                write_generation(out, 100)
            except (InputError, OSError):
                os._exit(2)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        rest = [p.name for p in out.parent.iterdir() if p.name.startswith(".")]
        found.append({"limit": limit, "status": status, "state": state_of(out), "rest": rest})
    return found


def main(arguments: list[str]) -> None:
    """See the module."""
    what, out, *more = arguments
    if what == "loop":
        first, times = (int(n) for n in more)
        for generation in range(first, first + times):
            try:
                write_generation(Path(out), generation)
            except InputError as busy:
                if busy.code != "output_busy":
                    raise
    else:
        found = _steps(Path(out)) if what == "steps" else _cut(Path(out), [int(n) for n in more])
        sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
