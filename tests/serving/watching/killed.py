"""Watches one round and kills itself (SIGKILL) where the test says; started by `test_watch.py`.

Arguments: the model, the output, the place, how many times it is passed before, and the feeds.
"""

import sys
from pathlib import Path

from serving.classifier import Classifier
from serving.scoring import manifest, writing
from serving.scoring.copies import Copies
from serving.scoring.options import Options
from serving.watching.state import State
from serving.watching.watch import Pace, watch
from serving.web.options import Web
from tests.serving.scoring.killed import killing


def arrange(place: str, passes: int) -> None:
    if place == "before a feed is remembered":
        State.keep = killing(State.keep, passes, before=True)
    elif place == "after a feed is remembered":
        State.keep = killing(State.keep, passes, before=False)
    elif place == "before the shard has its name":
        writing.publish = killing(writing.publish, passes, before=True)
    elif place == "after the index is kept":
        Copies.commit = killing(Copies.commit, passes, before=False)
    elif place == "before the queue hears of the shard":
        manifest.Manifest.add = killing(manifest.Manifest.add, passes, before=False)
    else:
        assert place == "nowhere"


def main() -> None:
    model, out, place, passes, *feeds = sys.argv[1:]
    classifier = Classifier.load(Path(model), threads=1)
    options = Options(copies="near", shard_records=3)
    arrange(place, int(passes))
    pace = Pace(every_s=1, rounds=1)
    web = Web(allow_private=True, delay_s=0)
    for _ in watch(feeds, Path(out), classifier, pace, options=options, web=web):
        pass


if __name__ == "__main__":
    main()
