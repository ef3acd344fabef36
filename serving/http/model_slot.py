"""The model that answers, and its exchange for another while the service runs."""

import logging
from collections.abc import Callable
from pathlib import Path

from anyio import Event, move_on_after, to_thread
from anyio.abc import TaskGroup

from serving.batching.batcher import Batcher
from serving.classifier import Classifier, Item
from serving.errors import ServingError
from serving.settings import Settings

WARM_UP = "The first text compiles the kernels."
_LOG = logging.getLogger("narrascope.model")

Outcome = Callable[[str, str], None]
"""Told of each exchange: "taken" or "refused", and the name of the model that answers."""

Make = Callable[[Classifier], Batcher]


class ModelSlot:
    """Holds one model at a time; a request keeps the one that it began with."""

    def __init__(self, settings: Settings, make: Make, told: Outcome) -> None:
        """Take what makes a batcher of a classifier, and who is told of exchanges."""
        self._settings = settings
        self._make = make
        self._told = told
        self._asked = Event()
        self._batcher: Batcher | None = None
        self._seen: object = None

    @property
    def batcher(self) -> Batcher:
        """The model that answers now."""
        assert self._batcher is not None, "the service has not started"
        return self._batcher

    @property
    def filled(self) -> bool:
        """Whether a model answers."""
        return self._batcher is not None

    async def load(self) -> Classifier:
        """Load the settings' model and warm it up.

        Raises:
            ModelFolderError: the folder is not as released.
        """
        # Looked at before it is read: what changes while it is read is seen at the next look.
        self._seen = await to_thread.run_sync(_fingerprint, self._settings.model)
        return await to_thread.run_sync(_load, self._settings)

    def fill(self, tasks: TaskGroup, classifier: Classifier) -> None:
        """Let a model answer from now on; the one before goes when it has answered its last."""
        old, self._batcher = self._batcher, self._make(classifier)
        tasks.start_soon(self._batcher.run)
        if old is not None:
            old.close()
        name = classifier.manifest.name
        self._told("taken", name)
        _LOG.info("model taken", extra={"fields": {"model": name}})

    def ask(self) -> None:
        """Load the folder anew soon (SIGHUP)."""
        self._asked.set()

    async def watch(self, tasks: TaskGroup) -> None:
        """Exchange the model whenever its folder changes or `ask` was called; never returns."""
        folder = self._settings.model
        if self._seen is None:
            self._seen = await to_thread.run_sync(_fingerprint, folder)
        while True:
            with move_on_after(self._settings.watch_seconds or None):
                await self._asked.wait()
            found = await to_thread.run_sync(_fingerprint, folder)
            if not self._asked.is_set() and found == self._seen:
                continue
            self._asked = Event()
            try:
                self.fill(tasks, await self.load())
            except Exception as error:
                # Whatever is wrong with a folder, the service has a model that answers.
                name = self.batcher.classifier.manifest.name
                self._told("refused", name)
                known = isinstance(error, (ServingError, OSError))
                fields = {"model": name, "reason": str(error) if known else type(error).__name__}
                _LOG.error("model refused, the old one goes on", extra={"fields": fields})

    def close(self) -> None:
        """Let the model go when it has answered everything."""
        self.batcher.close()
        self._batcher = None


def _load(settings: Settings) -> Classifier:
    classifier = Classifier.load(settings.model, threads=settings.threads)
    classifier.predict([Item(WARM_UP)])
    return classifier


def _fingerprint(folder: Path) -> object:
    """Return something that changes when the folder, or what its name leads to, does."""
    try:
        files = sorted(folder.iterdir())
        return folder.resolve(), [(f.name, (s := f.stat()).st_mtime_ns, s.st_size) for f in files]
    except OSError:
        return None
