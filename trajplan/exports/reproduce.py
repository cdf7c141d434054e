"""The script that makes a plan again from its scan and tells whether every byte is the same."""

from __future__ import annotations

import hashlib
import json
import shlex
from typing import Any, Final

from trajplan import DISCLAIMER, __version__
from trajplan.errors import InputError
from trajplan.exports.plan_json import plan_text
from trajplan.exports.plan_model import PlanDocument

SCRIPT: Final = "reproduce.py"

_TEMPLATE: Final = '''#!/usr/bin/env python3
"""Makes one trajplan plan again, and says whether plan.json is the same to the byte (its date and timings aside).

    python {script} {usage}

The same on the command line:

    {command}

Written by trajplan {version}. {disclaimer}
"""

import hashlib
import json
import sys
from pathlib import Path

{imports}
from trajplan.augmentation.asked import augmentation_of
from trajplan.case import CaseRequest, run_case, settings_of
from trajplan.exports.plan_json import plan_document, plan_text

WANTED = json.loads({wanted})

{scan}
request = CaseRequest(
    level=WANTED["level"],
    seed_lps=None if WANTED["seed_lps"] is None else np.array(WANTED["seed_lps"]),
    labels=labels,
    labels_source=WANTED["labels_source"],
    settings=settings_of(WANTED["parameters"]),
    backend=WANTED["backend"],
    segmented=segmented,
    confirmed_mask=WANTED["confirmed_mask"],
    augmentation=augmentation_of(WANTED["augmentation"]),
    reading=WANTED["reading"],
)
result = run_case(scan, request)
document = plan_document(result, *WANTED["files"])
dated = document.model_copy(
    update={{
        "created": WANTED["created"],
        "provenance": document.provenance.model_copy(update={{"timings_s": WANTED["timings_s"]}}),
    }}
)
data = plan_text(dated).encode()
if len(sys.argv) > {arguments}:
    Path(sys.argv[{arguments}]).write_bytes(data)
same = hashlib.sha256(data).hexdigest() == WANTED["plan_sha256"]
sys.stdout.write("the same plan to the byte\\n" if same else "ANOTHER plan: other version, scan, labels or machine\\n")
sys.exit(0 if same else 1)
'''

_PHANTOM: Final = """phantom = demo_phantom()
scan = Scan.of_volume(phantom.ct, path_name=WANTED["path_name"], kind="phantom")
labels, segmented = phantom.labels, None
"""
_SCAN: Final = """source = Path(sys.argv[1])
reading = dict(WANTED["reading"])
scheme, keep_name = reading.pop("scheme"), reading.pop("keep_name")
form = reading.pop("nifti_form")
answers = Answers(nifti_form=NiftiForm(form) if form else None, **reading)
scan = read_scan(source, answers)
if scan.sha256 != WANTED["scan_sha256"]:
    sys.exit("this is not the scan that the plan was made on")
if not keep_name:
    scan = nameless(scan, source)
labels, segmented = None, None
"""
_LABELS: Final = """label_file = Path(sys.argv[2])
identifier = level_id(WANTED["level"]) if WANTED["level"] else None
labels, said = read_labels_with_findings(
    label_file, Scheme(scheme), level_id=identifier, nifti_form=answers.nifti_form
)
said += check_same_space(labels, scan.volume)
segmented = segmented_in(label_file, labels)
scan = dataclasses.replace(scan, findings=scan.findings + said)
"""


def can_be_made_again(document: PlanDocument) -> bool:
    """Whether the program alone made the plan: none of its paths was moved by hand."""
    return "moved_by_a_person" not in document.provenance.details


def script_text(document: PlanDocument) -> str:
    """The script; it holds no path, and every text of the plan in it is data, never code.

    Raises
    ------
    InputError
        ``not_recorded`` for a plan of a version that did not note what was asked for; ``moved_by_a_person``.
    """
    if not can_be_made_again(document):
        raise InputError(
            "a person has moved paths of this plan, which no script can do again; the plan itself holds both the "
            "planner's and the moved ends",
            code="moved_by_a_person",
        )
    request = document.provenance.details.get("request")
    if not isinstance(request, dict):
        raise InputError(
            "this plan does not say how it was asked for (an older version wrote it): plan the case again",
            code="not_recorded",
        )
    phantom, labelled = document.input.kind == "phantom", request.get("labels_sha256") is not None
    wanted = {
        **request,
        "parameters": document.provenance.parameters,
        "created": document.created,
        "timings_s": document.provenance.timings_s,
        "files": [document.files.parts, document.files.augmentation],
        "path_name": document.input.path_name,
        "scan_sha256": document.input.sha256,
        "plan_sha256": hashlib.sha256(plan_text(document).encode()).hexdigest(),
    }
    names = [] if phantom else ["SCAN", "LABELS"] if labelled else ["SCAN"]
    imports = ["import numpy as np", ""]
    if phantom:
        imports += ["from trajplan.reading.scan import Scan", "from trajplan_phantoms import demo_phantom"]
        scan = _PHANTOM
    else:
        imports += [
            "from trajplan.exports.nameless import nameless",
            "from trajplan.reading import Answers, NiftiForm, read_scan",
        ]
        scan = _SCAN
        if labelled:
            imports = ["import dataclasses", *imports, "from trajplan.exports.segmentation_note import segmented_in"]
            imports += ["from trajplan.levels import level_id"]
            imports += ["from trajplan.reading import Scheme, check_same_space, read_labels_with_findings"]
            scan += _LABELS
    return _TEMPLATE.format(
        script=SCRIPT,
        usage=" ".join([*names, "[OUT]"]),
        command="trajplan demo --out OUT" if phantom else _command(document, request, labelled),
        version=__version__,
        disclaimer=DISCLAIMER,
        imports="\n".join(imports),
        wanted=ascii(json.dumps(wanted, allow_nan=False)),
        scan=scan,
        arguments=len(names) + 1,
    )


def _command(document: PlanDocument, request: dict[str, Any], labelled: bool) -> str:
    """The command line; what lies in files of one's own (catalogue, candidacy) is in the script only."""
    reading, asked = dict(request.get("reading") or {}), dict(request.get("augmentation") or {})
    parameters = document.provenance.parameters
    words = ["trajplan", "plan", "SCAN", "--out", "OUT"]
    if labelled:
        words += ["--labels", "LABELS", "--scheme", str(reading.get("scheme"))]
    if request.get("seed_lps"):
        words.append(f"--seed={','.join(repr(v) for v in request['seed_lps'])}")
    tool = parameters.get("instrument")
    options = {
        "--level": request.get("level"),
        "--backend": None if labelled else request.get("backend"),
        "--confirm-mask": request.get("confirmed_mask"),
        "--instrument": tool.get("name") if isinstance(tool, dict) else None,
        "--approach": parameters.get("approach"),
        "--execution": parameters.get("execution"),
        "--series": reading.get("series"),
        "--nifti-form": reading.get("nifti_form"),
        "--balloon": asked.get("balloon"),
        "--balloon-ml": asked.get("max_volume_ml"),
    }
    flags = {
        "--free-breathing": bool(parameters.get("respiration_sigma_mm")),
        "--assume-hu": reading.get("assume_hu"),
        "--resample-irregular": reading.get("resample_irregular"),
        "--keep-name": reading.get("keep_name"),
    }
    words += [word for name, value in options.items() if value for word in (name, str(value))]
    words += [name for name, wanted in flags.items() if wanted]
    # the command stands in a docstring: nothing in it may end that
    return shlex.join(words).encode("ascii", "replace").decode().replace("\\", "?").replace('"', "?").replace("\n", " ")
