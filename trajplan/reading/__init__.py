"""Floor 1: bytes to a checked Volume. No segmentation."""

from trajplan.reading.answers import Answers, Doubt, NiftiForm, Question
from trajplan.reading.labels import check_same_space, read_labels, read_labels_with_findings
from trajplan.reading.read import read_scan
from trajplan.reading.scan import Finding, Scan
from trajplan.reading.schemes import Scheme

__all__ = [
    "Answers",
    "Doubt",
    "Finding",
    "NiftiForm",
    "Question",
    "Scan",
    "Scheme",
    "check_same_space",
    "read_labels",
    "read_labels_with_findings",
    "read_scan",
]
