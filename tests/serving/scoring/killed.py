"""Runs a scoring and kills itself (SIGKILL) where the test says; started by `test_resume.py`.

Arguments: the model, the output, the format ("partitioned" is Parquet by day and language), the
place, how many times it is passed before, and the sources.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving.classifier import Classifier
from serving.scoring import destination, making, manifest, shards, writing
from serving.scoring.engines.local import Local
from serving.scoring.options import Options
from serving.scoring.run import score
from tests.serving.scoring.conftest import NOW

shards.CHUNK = 4


def stop() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killing(inner: Callable[..., Any], passes: int, *, before: bool) -> Callable[..., Any]:
    left = [passes]

    def called(*args: Any, **options: Any) -> Any:
        left[0] -= 1
        if before and left[0] < 0:
            stop()
        result = inner(*args, **options)
        if left[0] < 0:
            stop()
        return result

    return called


def half_a_line(self: Any, entry: dict[str, Any]) -> None:
    line = manifest._line(entry)
    self._sink.write(line[: len(line) // 2])
    self._sink.flush()
    stop()


def arrange(place: str, passes: int) -> None:
    if place == "before the shard has its name":
        writing.publish = killing(writing.publish, passes, before=True)
    elif place == "before the shard is entered":
        writing.publish = killing(writing.publish, passes, before=False)
    elif place == "while the shard is entered":
        manifest.Manifest._write = half_a_line
    elif place == "after the shard is entered":
        manifest.Manifest.add = killing(manifest.Manifest.add, passes, before=False)
    elif place == "in the middle of a shard":
        making.Maker._rows = killing(making.Maker._rows, passes, before=True)
    elif place == "after rejects were written":
        writing.Writer._reject = killing(writing.Writer._reject, passes, before=False)
    elif place == "before the shards are joined":
        destination._copy = killing(destination._copy, passes, before=True)
    elif place == "after the shards are joined":
        destination._copy = killing(destination._copy, passes, before=False)
    else:
        assert place == "nowhere"


def main() -> None:
    model, out, format_, place, passes, *sources = sys.argv[1:]
    arrange(place, int(passes))
    classifier = Classifier.load(Path(model), threads=1)
    options = Options(
        format="parquet" if format_ == "partitioned" else format_,
        partition="date,language" if format_ == "partitioned" else None,
        shard_records=10,
        copies="near",
    )
    for _ in score(sources, Path(out), Local(classifier), options, now=NOW):
        if place == "nowhere" and int(passes):
            time.sleep(int(passes) / 1000)


if __name__ == "__main__":
    main()
