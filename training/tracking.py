"""Where runs are followed: trackio, a local tool, if it is installed (the extra `tracking`).

It keeps losses and learning rates of every run in a file under `.cache/trackio`;
`TRACKIO_DIR=.cache/trackio trackio show` draws them. Nothing leaves the machine.
"""

import os
from importlib.util import find_spec

PROJECT = "narrascope"
FOLDER = ".cache/trackio"


def report_to() -> str:
    """Return the tool's name as transformers knows it, or `none`."""
    if find_spec("trackio") is None:
        return "none"
    os.environ.setdefault("TRACKIO_DIR", FOLDER)
    return "trackio"
