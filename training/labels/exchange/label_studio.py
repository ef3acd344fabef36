"""Label Studio: tasks with predictions out, tasks with annotations (its export "JSON") in.

A row's text, key and language are the task's data; the record as a whole goes beside them. Decided
labels are predictions, so that an annotation is always somebody's reading. The labelling interface
is made of the taxonomy: a line of stances for each narrative; none chosen, not carried.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from training.labels.exchange.rows import Fields, Reject, Row
from training.taxonomy import Taxonomy

TEXT = "text"


def write(rows: Iterable[Fields], path: Path, taxonomy: Taxonomy) -> None:
    """Write the tasks, and the labelling interface beside them, as .xml."""
    tasks = json.dumps([_task(fields) for fields in rows], ensure_ascii=False, indent=1)
    path.write_text(tasks + "\n", encoding="utf-8", newline="\n")
    interface(path).write_text(config(taxonomy) + "\n", encoding="utf-8")


def interface(path: Path) -> Path:
    """Return where the labelling interface of a file of tasks lies."""
    return path.with_suffix(".xml")


def config(taxonomy: Taxonomy) -> str:
    """Return the labelling interface."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Text", name=TEXT, value="$text")
    for narrative in taxonomy.narratives:
        title = narrative.title.get("en", narrative.id)
        ElementTree.SubElement(view, "Header", value=f"{title} ({narrative.id})", size="5")
        choices = ElementTree.SubElement(
            view,
            "Choices",
            name=narrative.id,
            toName=TEXT,
            choice="single-radio",
            showInLine="true",
        )
        for stance in taxonomy.stances:
            hint = " ".join(stance.definition.split())
            ElementTree.SubElement(choices, "Choice", value=stance.id, hint=hint)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode")


def _task(fields: Fields) -> dict[str, Any]:
    data = {name: fields.get(name) for name in ("key", "lang", TEXT)}
    rest = {name: value for name, value in fields.items() if name not in data}
    labels = rest.get("labels")
    if labels is None:
        return {"data": data}
    prediction = {
        "model_version": str(rest.get("annotator", "")),
        "result": [
            {
                "from_name": narrative,
                "to_name": TEXT,
                "type": "choices",
                "value": {"choices": [stance]},
            }
            for narrative, stance in labels.items()
        ],
    }
    return {"data": {**data, "record": rest}, "predictions": [prediction]}


def read(path: Path) -> Iterator[Row | Reject]:
    """Read the tasks; one that is not as Label Studio writes it is a reject."""
    try:
        tasks = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        yield Reject(where=str(path), reason=f"the file is not JSON: {error}.")
        return
    if not isinstance(tasks, list):
        yield Reject(where=str(path), reason="the file is no list of tasks.")
        return
    for number, task in enumerate(tasks, 1):
        where = f"{path}: task {number}"
        try:
            record = task["data"].get("record") or {}
            data = {name: task["data"].get(name) for name in ("key", "lang", TEXT)}
            yield Row(where=where, fields={**data, **record}, reading=_reading(task))
        except ValueError as error:
            yield Reject(where=where, reason=f"{error}")
        except (TypeError, KeyError, AttributeError, IndexError):
            yield Reject(where=where, reason='it is no task of the export "JSON" (not "JSON_MIN").')


def _reading(task: dict[str, Any]) -> dict[str, str] | None:
    done = [a for a in task.get("annotations") or [] if not a.get("was_cancelled")]
    if not done:
        return None
    if len(done) > 1:
        raise ValueError(f"{len(done)} annotations: leave one, or import one annotator at a time.")
    labels: dict[str, str] = {}
    for result in done[0]["result"]:
        if result.get("type") != "choices":
            continue
        name, stances = result["from_name"], result["value"]["choices"]
        if name in labels or len(stances) != 1:
            raise ValueError(f"labels.{name}: more or less than one stance.")
        labels[name] = stances[0]
    return labels
