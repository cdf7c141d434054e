"""The core's sentences in the terms of the window: for an option of the command line, the control is named."""

from __future__ import annotations

import re

_PHRASES = (
    (r"say where (\S+) is with --seed or --labels, take --backend network, which counts, or leave --level out for",
     r"click on \1 in a slice, take the back-end network, which counts, or set Level to 'not counted' for"),
    (r"[Nn]ame a vertebra with --seed and --level", "click on the vertebra and choose its Level"),
    (r"state (it|the level) with --level( after counting)?", r"choose \1 under Vertebra > Level\2"),
    (r"choose one with --level", "choose one under Vertebra > Level"),
    (r"plan again with --confirm-mask [0-9a-f]+", "press Contours are right under Segment, then Plan"),
    (r"--confirm-mask needs", "a confirmed mask needs"),
    (r"confirm them with --confirm-mask", "press Contours are right under Segment"),
    (r"when not, correct the label file and plan on that", "when not, press Edit mask, correct it and press Update"),
    (r"correct the label file", "press Edit mask, correct it and press Update"),
    (r"take the classical route with --backend simpleitk", "choose the back-end simpleitk under Segment"),
    (r"choose another with --backend", "choose another back-end under Segment"),
    (r"choose a path of the plan with --side", "choose a path under Verify"),
    (r"`?--instrument (\S+?)\.?`?(?=\.|$)", r"the trocar \1 under Plan"),
    (r"[Cc]hoose a group of the table with `--series UID#N`", "Open the folder of one series"),
    (r"[Cc]hoose one of the table with `--series UID`", "Open the folder of one series"),
    (r"[Tt]hen `--nifti-form qform` or `--nifti-form sform`", "Write the file anew with that one alone"),
    (r"; `--resample-irregular` interpolates, and says so", ""),
    (r", or --(assume-hu|resample-irregular) if you know better", ""),
    (r"; `--assume-hu` if you know better", ""),
    (r"leave --nifti-form out", "open it as it is"),
    (r"Check `--scheme`", "Check the numbering of the labels"),
    (r"--keep-identity", "keeping the identity"),
)  # fmt: skip
"""Pattern in the core's words -> words of the window; a test holds that none is missing."""

_KNOWN = tuple((re.compile(pattern), words) for pattern, words in _PHRASES)
_FLAG = re.compile(r"\s*`?--([a-z][a-z-]*)(?: [A-Z][A-Z#]*)?`?")


def in_window(text: str) -> str:
    """The sentence as a person before the window needs it.

    >>> in_window("the level of this vertebra is not known: state it with --level")
    'the level of this vertebra is not known: choose it under Vertebra > Level'
    """
    for pattern, words in _KNOWN:
        text = pattern.sub(words, text)
    return _FLAG.sub(lambda found: f" the option {found[1].replace('-', ' ')}", text)
