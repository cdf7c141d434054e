"""What is published of the height that a balloon regains and that is kept. Stated beside every prediction."""

from __future__ import annotations

from trajplan.augmentation.published import Published

KEPT: tuple[Published, ...] = (
    Published(
        "in cadavers under a load of 110 N balloons regained 30 % of the lost height, 56 % with an outer sleeve",
        "in-vitro study of an outer sleeve",
        "read",
    ),
    Published(
        "no appreciable gain in up to 33 % of cases: it is lost when the balloon is deflated",
        "BMC MSD 2013;14:233",
        "read",
    ),
    Published(
        "14 randomised trials, kyphoplasty and vertebroplasty together: anterior +3.48 mm, central +4.38 mm, "
        "kyphosis -2.85 degrees",
        "abstract of an AO review",
        "read",
    ),
    Published(
        "CT of 252 bodies: anterior +1.5 (SD 2.9), middle +2.1 (2.9), posterior +0.9 mm (2.1), angle -1.3 degrees "
        "(3.3); not maintained",
        "abstract of a series",
        "read",
    ),
    Published("a balloon added nothing to lying the patient down extended (75 levels)", "one AJNR study", "read"),
)
