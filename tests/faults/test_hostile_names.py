"""Names that are markup, formulas, paths or code do nothing in any output, and the script makes the plan again."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cli_runs import Trajplan
from sample_case import sample_case

from trajplan.errors import InputError
from trajplan.exports.atomic import staged_folder
from trajplan.exports.handover import Handover, hand_over
from trajplan.exports.labels_file import write_parts
from trajplan.exports.phantom_files import write_phantom
from trajplan.exports.plan_json import plan_document, write_plan
from trajplan.exports.reproduce import script_text
from trajplan.geometry import LabelMap
from trajplan.hand_on import KINDS, write_exports
from trajplan.parts import Side
from trajplan.planning.plan import Refusal
from trajplan.reporting.write import write_report
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom

HOSTILE = (
    "=cmd|' /C calc'!A0 ../../etc/passwd %n%s${HOME}`id`",
    '<script>alert(1)</script><img src=x onerror="alert(1)">"""\nimport os; os.abort()\n"""',
    "../../etc/passwd",
)


class _Tags(HTMLParser):
    """Every start tag with the names of its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))


@pytest.fixture(scope="module", params=HOSTILE, ids=["formula", "markup", "path"])
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A case whose every name is hostile, with its report and all exports."""
    name, folder = request.param, tmp_path_factory.mktemp("hostile")
    plain = sample_case()
    assert plain.vertebra is not None
    paths = tuple(
        dataclasses.replace(t, reasons=(name,), approach=name, instrument=dataclasses.replace(t.instrument, name=name))
        for t in plain.trajectories[:1]
    )
    case = dataclasses.replace(
        plain,
        scan=dataclasses.replace(plain.scan, path_name=name),
        vertebra=dataclasses.replace(plain.vertebra, source=name, level=name),
        trajectories=paths,
        stages={Side.LEFT: tuple(dataclasses.replace(s, name=name, rule=name) for s in plain.stages[Side.LEFT][:2])},
        refusals=(Refusal(Side.RIGHT, name, "code", name, {"width_mm": 1.0}),),
        notes=(name,),
        provenance={"parameters": {"p": name}, "parameter_sha256": None, "request": {"level": name, "reading": {}}},
        views={k: v for k, v in plain.views.items() if k in ("ap", "lateral")},
        drrs={},
    )
    write_report(case, folder / "plan")
    handover = hand_over(folder / "plan" / "plan.json", case.scan.volume, case.scan.sha256)
    write_exports(handover, ("slicer", "mesh", "csv", "dicom", "script"), folder / "out")
    return name, folder


def test_a_hostile_name_is_only_text(hostile: tuple[str, Path]) -> None:
    _, folder = hostile
    assert sorted(p.name for p in folder.iterdir()) == ["out", "plan"], "nothing was written elsewhere"
    page = (folder / "plan" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page.lower()
    tags = _Tags(page).tags
    assert not {"script", "iframe", "object", "embed", "form"} & {tag for tag, _ in tags}
    assert not [name for _, names in tags for name in names if name.startswith("on")]
    for path in (folder / "out" / "csv").glob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))):
            for cell in row:
                assert not cell.startswith(("=", "@", "\t", "\r")), path.name
    for path in (*(folder / "out" / "slicer").glob("*.json"), folder / "plan" / "plan.json"):
        json.loads(path.read_text(encoding="utf-8"))
    made = [p.relative_to(folder).as_posix() for p in folder.rglob("*")]
    assert all(re.fullmatch(r"[A-Za-z0-9_./-]+", p) for p in made)
    script = (folder / "out" / "script" / "reproduce.py").read_text(encoding="utf-8")
    code = compile(script, "reproduce.py", "exec")
    assert code.co_consts[0].startswith("Makes one trajplan plan again"), "the name did not end the words it stands in"
    assert "abort" not in code.co_names
    assert "os" not in code.co_names


def test_a_plan_that_does_not_say_how_it_was_asked_for_has_no_script() -> None:
    with pytest.raises(InputError, match="does not say how it was asked for"):
        script_text(plan_document(sample_case()))


def test_a_plan_that_a_person_has_moved_has_no_script_and_all_leaves_it_out(tmp_path: Path) -> None:
    document = plan_document(sample_case())
    request = {"level": "L1", "seed_lps": None, "labels_sha256": None, "reading": {}}
    made = {**document.provenance.details, "request": request}
    moved = document.model_copy(
        update={
            "provenance": document.provenance.model_copy(
                update={"details": {**made, "moved_by_a_person": {"left": {}}}}
            )
        }
    )
    with pytest.raises(InputError, match="a person has moved paths of this plan"):
        script_text(moved)
    vertebra = sample_case().vertebra
    assert vertebra is not None
    handover = Handover(moved, vertebra.parts, sample_case().scan.volume, None, None, None)
    with pytest.MonkeyPatch.context() as patch:
        for kind in KINDS:
            if kind != "script":
                patch.setitem(KINDS, kind, lambda handover, folder, wish: (folder / "x").write_text("x"))
        write_exports(handover, ["all"], tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == set(KINDS) - {"script"}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labelled")
    spec = PhantomSpec(levels=("L1",), height_loss_percent=40.0)
    write_phantom(make_phantom(spec, Scanner((2.0, 1.2, 1.2), noise_hu=10, seed=1)), folder)
    return folder


def test_the_script_makes_the_same_plan_to_the_byte_and_notices_another(
    labelled: Path, trajplan: Trajplan, tmp_path: Path
) -> None:
    scan, labels = labelled / "ct.nrrd", labelled / "labels.nrrd"
    planned = trajplan(
        "plan", scan, "--labels", labels, "--scheme", "verse", "--level", "L1", "--approach", "unipedicular-left",
        "--out", tmp_path / "plan",
    )  # fmt: skip
    assert planned.status in (0, 3), planned.err
    exported = trajplan("export", tmp_path / "plan" / "plan.json", scan, "--to", "script", "--out", tmp_path / "again")
    assert exported.status == 0, exported.err
    script = tmp_path / "again" / "script" / "reproduce.py"
    assert "trajplan plan SCAN --out OUT --labels LABELS --scheme verse --level L1" in script.read_text()
    made = tmp_path / "made.json"
    ran = subprocess.run([sys.executable, str(script), scan, labels, made], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "the same plan to the byte\n"), ran.stderr
    assert made.read_bytes() == (tmp_path / "plan" / "plan.json").read_bytes()
    other = script.with_name("other.py")
    other.write_text(script.read_text().replace('"wall_margin_mm": 1.0', '"wall_margin_mm": 1.25'))
    ran = subprocess.run([sys.executable, str(other), scan, labels], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stdout.startswith("ANOTHER plan")


def test_a_stale_plan_is_not_exported(labelled: Path, trajplan: Trajplan, tmp_path: Path) -> None:
    case = sample_case()
    assert case.vertebra is not None
    write_parts(case.vertebra, tmp_path / "parts.nrrd")
    write_plan(plan_document(case, "parts.nrrd"), tmp_path / "plan.json")
    run = trajplan("export", tmp_path / "plan.json", labelled / "ct.nrrd", "--to", "csv", "--out", tmp_path / "out")
    assert run.status == 2
    assert "stale" in run.err
    assert not (tmp_path / "out").exists()
    run = trajplan("export", tmp_path / "plan.json", labelled / "ct.nrrd", "--to", "fax", "--out", tmp_path / "out")
    assert run.status == 2


def test_cement_and_report_that_were_not_written_with_the_plan_are_not_handed_on(tmp_path: Path) -> None:
    case = sample_case()
    assert case.vertebra is not None
    with staged_folder(tmp_path / "plan") as folder:
        write_plan(plan_document(case, "parts.nrrd", "cement.nrrd"), folder / "plan.json")
        for name in ("parts.nrrd", "cement.nrrd"):
            write_parts(case.vertebra, folder / name)
        (folder / "report.pdf").write_bytes(b"%PDF-1.4 a stand-in")
    plan = tmp_path / "plan" / "plan.json"
    whole = hand_over(plan, case.scan.volume, case.scan.sha256)
    assert whole.cement is not None
    assert whole.report is not None
    (tmp_path / "plan" / "report.pdf").write_bytes(b"%PDF-1.4 of another plan")
    assert hand_over(plan, case.scan.volume, case.scan.sha256).report is None
    write_parts(dataclasses.replace(case.vertebra, parts=_emptied(case.vertebra.parts)), plan.with_name("cement.nrrd"))
    with pytest.raises(InputError, match=r"cement\.nrrd is not the one"):
        hand_over(plan, case.scan.volume, case.scan.sha256)


def _emptied(labels: LabelMap) -> LabelMap:
    return LabelMap(labels.array * 0, labels.grid)
