"""Makes docs/report.png: feeds of passages written for the project, scored, reported, and shown.

Needs a Chromium on the PATH. The hosts are invented; the passages are those of the training side.
"""

import argparse
import json
import random
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from xml.sax.saxutils import escape

import click

from serving.classifier import Classifier
from serving.report.page import html
from serving.report.summary import summary
from serving.scoring.engines.local import Local
from serving.scoring.options import Options
from serving.scoring.run import score

FIRST = datetime(2026, 1, 5, 8, tzinfo=UTC)
DAYS, PASSAGES, COPIES = 28, 700, 180
HOSTS = ["news.example.org", "agency.example.com", "channel.example.net", "desk.example.org"]
ITEM = (
    "<item><guid>{id}</guid><link>https://{host}/{id}</link><pubDate>{date}</pubDate>"
    "<description>{text}</description></item>"
)


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=Path, default=Path("data/labels/written"))
    parser.add_argument("--model", type=Path, default=Path("models/current"))
    parser.add_argument("--out", type=Path, default=Path("docs/report.png"))
    options = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("no Chromium on the PATH: install one to make pictures.")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        feeds(options.labels, folder / "feeds")
        engine = Local(Classifier.load(options.model))
        for _ in score([str(folder / "feeds")], folder / "labelled", engine, Options()):
            pass
        page = folder / "report.html"
        told = html(summary(folder / "labelled", top=0)).replace(str(folder), "")
        page.write_text(told, encoding="utf-8")
        shown = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1100,1240"]
        subprocess.run(
            [browser, *shown, f"--screenshot={options.out.resolve()}", page.as_uri()],
            check=True,
            capture_output=True,
        )
    click.echo(options.out)


def feeds(labels: Path, folder: Path) -> None:
    """Write feeds of passages, some of which stand in several feeds."""
    chance = random.Random(3)
    passages = []
    for path in sorted(labels.glob("*.jsonl")):
        passages += [json.loads(line)["text"] for line in path.read_text().splitlines()]
    chosen = chance.sample(passages, PASSAGES)
    chosen += chance.choices(chosen, k=COPIES)
    items: dict[str, list[str]] = {host: [] for host in HOSTS}
    for number, text in enumerate(chosen):
        host = chance.choices(HOSTS, weights=[4, 3, 2, 1])[0]
        date = FIRST + timedelta(days=chance.triangular(0, DAYS, DAYS * 0.7))
        items[host].append(
            ITEM.format(id=number, host=host, date=format_datetime(date), text=escape(text))
        )
    folder.mkdir()
    for host, told in items.items():
        (folder / f"{host}.xml").write_text(
            f'<?xml version="1.0"?><rss version="2.0"><channel>{"".join(told)}</channel></rss>',
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
