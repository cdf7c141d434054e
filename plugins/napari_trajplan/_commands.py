"""Commands of menus and palette: each acts on the planner of the viewer in front, and opens it if need be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_trajplan._dock import PlannerDock

_NO_VIEWER = "open a napari window first: this command acts on its planner"


def planner_dock() -> PlannerDock:
    """The planner of the viewer in front.

    Raises
    ------
    InputError
        ``no_viewer``.
    """
    import napari

    from trajplan.errors import InputError

    viewer = napari.current_viewer()
    if viewer is None:
        raise InputError(_NO_VIEWER, code="no_viewer")
    return viewer.window.add_plugin_dock_widget("trajplan", "Planner")[1]


def find_levels() -> None:
    """List every vertebra in view."""
    planner_dock().vertebra.find()


def segment() -> None:
    """Segment and measure the vertebra."""
    planner_dock().planner.segment()


def edit_mask() -> None:
    """Paint in the mask."""
    planner_dock().planner.choices.edit_mask()


def update_mask() -> None:
    """Measure the painted mask."""
    planner_dock().planner.update_mask()


def confirm_mask() -> None:
    """Say that the contours are right."""
    planner_dock().planner.choices.confirm()


def plan() -> None:
    """Plan."""
    planner_dock().planner.plan()


def cancel() -> None:
    """Stop what runs."""
    planner_dock().planner.cancel()


def verify() -> None:
    """Verify the moved paths."""
    planner_dock().planner.verify()


def undo() -> None:
    """Take a move back."""
    planner_dock().planner.paths.undo()


def redo() -> None:
    """Do it again."""
    planner_dock().planner.paths.redo()


def snap() -> None:
    """Back to the planner's own path."""
    planner_dock().snap()


def show_axial() -> None:
    """Axial slices."""
    planner_dock().view("Axial")


def show_sagittal() -> None:
    """Sagittal slices."""
    planner_dock().view("Sagittal")


def show_coronal() -> None:
    """Coronal slices."""
    planner_dock().view("Coronal")


def show_3d() -> None:
    """3D, from behind."""
    planner_dock().view("3D")


def write_report() -> None:
    """Write the report into the folder that is named under Report."""
    planner_dock().report_form.write()


def export() -> None:
    """The report with every export beside it."""
    planner_dock().report_form.write(every=True)


def save_case() -> None:
    """Save the case; asks for a file."""
    planner_dock().report_form.save_case()


def open_case() -> None:
    """Open a saved case; asks for a file."""
    planner_dock().open_case()


def show_tour() -> None:
    """The five hints."""
    planner_dock().tour.start()
