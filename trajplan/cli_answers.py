"""The options that answer what only a person can decide about a scan; the same on every command that reads one."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer


class NiftiFormOption(StrEnum):
    """Values of --nifti-form (mirrors trajplan.reading.answers.NiftiForm, without importing the reader)."""

    QFORM = "qform"
    SFORM = "sform"


_OPTIONS: dict[str, tuple[Any, object]] = {
    "series": (
        Annotated[
            str | None,
            typer.Option(help="DICOM SeriesInstanceUID, when a folder holds several CTs; UID#N for one group of it."),
        ],
        None,
    ),
    "nifti_form": (
        Annotated[
            NiftiFormOption | None,
            typer.Option(help="Which place of a NIfTI scan or label file is right, where its two differ; is recorded."),
        ],
        None,
    ),
    "assume_hu": (
        Annotated[
            bool,
            typer.Option("--assume-hu", help="Take the values as HU although the file speaks against it; is recorded."),
        ],
        False,
    ),
    "resample_irregular": (
        Annotated[
            bool,
            typer.Option(
                "--resample-irregular", help="Interpolate irregular or missing DICOM slices (to 6 mm); is recorded."
            ),
        ],
        False,
    ),
}


def answering(command: Callable[..., None]) -> Callable[..., None]:
    """A command with these options in place of its one parameter `answers`, a `trajplan.reading.answers.Answers`."""

    @functools.wraps(command)
    def with_options(**values: Any) -> None:
        from trajplan.reading.answers import Answers, NiftiForm

        given = {name: values.pop(name) for name in _OPTIONS}
        form = given.pop("nifti_form")
        command(answers=Answers(nifti_form=NiftiForm(form) if form else None, **given), **values)

    # The type of `answers` is for people and checkers; at run time it would load the reader before --help.
    hints = typing.get_type_hints(command, localns={"Answers": object}, include_extras=True)
    parameters = []
    for own in inspect.signature(command).parameters.values():
        if own.name == "answers":
            parameters += [
                inspect.Parameter(name, own.KEYWORD_ONLY, default=default, annotation=kind)
                for name, (kind, default) in _OPTIONS.items()
            ]
        else:
            parameters.append(own.replace(annotation=hints[own.name], kind=own.KEYWORD_ONLY))
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # what typer reads
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options
