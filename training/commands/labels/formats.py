"""The formats of `export`, `import` and `next`."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

from training.errors import LabelError
from training.labels.exchange import label_studio, lines, table
from training.labels.exchange.rows import Fields, Reject, Row
from training.taxonomy import Taxonomy

_MODULES: dict[str, ModuleType] = {"label-studio": label_studio, "csv": table, "jsonl": lines}
DATASETS = "datasets"
NAMES = (*_MODULES, DATASETS)
_ENDINGS = {".json": "label-studio", ".csv": "csv", ".jsonl": "jsonl"}


def of(path: Path) -> str:
    """Tell the format of a file by its ending; a folder is one of `datasets`.

    Raises:
        LabelError: the ending says nothing.
    """
    if path.is_dir():
        return DATASETS
    if path.suffix not in _ENDINGS:
        raise LabelError(f"{path}: its ending tells no format; pass --format {'|'.join(NAMES)}.")
    return _ENDINGS[path.suffix]


def write(
    name: str, rows: Iterable[Fields], path: Path, taxonomy: Taxonomy, sides: Mapping[str, str]
) -> None:
    """Write rows in a format.

    Raises:
        LabelError: the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == DATASETS:
            # pyarrow and pandas take seconds to load; the other formats need neither.
            from training.labels.exchange import hub

            hub.write(rows, path, taxonomy, sides)
        else:
            _MODULES[name].write(rows, path, taxonomy)
    except OSError as error:
        raise LabelError(f"{path} cannot be written: {error.strerror}.") from error


def read(name: str, path: Path) -> Iterator[Row | Reject]:
    """Read rows in a format; bad ones come as rejects.

    Raises:
        LabelError: there is no such file or folder.
    """
    try:
        if name == DATASETS:
            from training.labels.exchange import hub

            yield from hub.read(path)
        else:
            yield from _MODULES[name].read(path)
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}.") from error
