"""Every kind of source from a real tool, and hundreds of broken ones: do the totals add up?

Files are made by the tools that make them in the wild: a browser, warcio, pyarrow, DuckDB, gzip
and its kin, a feed over HTTP. Each is scored alone; then each is broken in many ways, by a seed,
and all broken ones are scored in one run, which must neither end early nor lose a record from its
sum.
"""

import argparse
import csv
import gzip
import http.server
import io
import json
import random
import shutil
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import click
import duckdb
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from serving.classifier import Classifier
from serving.scoring.engines.local import Local
from serving.scoring.manifest import Totals
from serving.scoring.options import Options
from serving.scoring.run import score
from serving.web.options import Web

ROWS = [
    {
        "id": str(number),
        "text": text,
        "date": "2026-01-05T08:00:00Z",
        "url": f"https://e.org/{number}",
    }
    for number, text in enumerate(
        [
            "The council approved the budget after a short debate on Monday.",
            "Погода в Алматы завтра будет ясной, сообщает служба.",
            "Міністр приїхав до Львова і оглянув нову лікарню.",
            "Көпір жөндеуден кейін қайта ашылды, деді қала әкімі.",
            "Protesters in Tbilisi were paid by foreign embassies, state television claimed.",
        ]
    )
]
BROKEN = 240
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>News</title></head>
<body><nav>Home</nav><article><h1>News</h1>TEXT</article>
<script>
const added = "<p>This paragraph was written by a script in the browser.</p>";
document.querySelector("article").insertAdjacentHTML("beforeend", added);
</script></body></html>
"""


def main() -> None:
    """Make all kinds, score them whole and broken, and write the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/current"))
    parser.add_argument("--broken", type=int, default=BROKEN)
    parser.add_argument("--out", type=Path, help="also write the counts as JSON")
    options = parser.parse_args()
    engine = Local(Classifier.load(options.model))
    with tempfile.TemporaryDirectory() as scratch, _site(Path(scratch) / "site") as address:
        folder = Path(scratch) / "made"
        folder.mkdir()
        made = _make(folder, Path(scratch) / "site", address)
        rows = []
        for number, (tool, name) in enumerate(made.items()):
            totals = _score([name], Path(scratch) / f"out-{number}", engine)
            rows.append({"tool": tool, "kind": Path(name).name, "totals": str(totals)})
        broken = _break(
            [Path(name) for name in made.values() if _is_text(name)], folder, options.broken
        )
        totals = _score([str(path) for path in broken], Path(scratch) / "out-broken", engine)
        rejects = Path(scratch) / "out-broken" / "rejects.jsonl"
        reasons = Counter(
            " ".join(json.loads(line)["reason"].split()[:5])
            for line in rejects.read_text(encoding="utf-8").splitlines()
        )
    found: dict[str, Any] = {
        "whole": rows,
        "broken": {
            "sources": len(broken),
            "totals": str(totals),
            "adds up": totals.read == totals.scored + totals.duplicates + totals.rejected,
            "reasons": dict(reasons.most_common(12)),
        },
    }
    click.echo(json.dumps(found, indent=1, ensure_ascii=False))
    if options.out:
        told = json.dumps(found, indent=1, ensure_ascii=False)
        options.out.write_text(told + "\n", encoding="utf-8")


def _is_text(name: str) -> bool:
    """Leave out what is on the web, and lists: one that is broken ends a run with a sentence."""
    return "://" not in name and not name.endswith(".opml")


def _score(names: list[str], out: Path, engine: Local) -> Totals:
    web = Web(allow_private=True, delay_s=0)
    *_, totals = score(names, out, engine, Options(copies="near"), web=web)
    return totals


@contextmanager
def _site(folder: Path) -> Iterator[str]:
    folder.mkdir()
    handler = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _make(folder: Path, site: Path, address: str) -> dict[str, str]:
    """Return the sources by the tool that made them."""
    made: dict[str, str] = {}
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    (folder / "posts.jsonl").write_text(lines, encoding="utf-8")
    made["json.dumps"] = str(folder / "posts.jsonl")
    for name, delimiter in (("posts.csv", ","), ("posts.tsv", "\t")):
        with (folder / name).open("w", encoding="utf-8", newline="") as sink:
            writer = csv.DictWriter(sink, [*ROWS[0]], delimiter=delimiter)
            writer.writeheader()
            writer.writerows(ROWS)
        made[f"csv {name[-3:]}"] = str(folder / name)
    table = pa.Table.from_pylist(ROWS)
    pq.write_table(table, folder / "posts.parquet")
    pyarrow.feather.write_feather(table, folder / "posts.feather")
    with pa.ipc.new_stream(folder / "posts.arrows", table.schema) as stream:
        stream.write_table(table)
    made |= {
        f"pyarrow {kind}": str(folder / f"posts.{kind}")
        for kind in ("parquet", "feather", "arrows")
    }
    duckdb.read_json(str(folder / "posts.jsonl")).write_parquet(str(folder / "duck.parquet"))
    made["DuckDB parquet"] = str(folder / "duck.parquet")
    (folder / "post.txt").write_text(ROWS[0]["text"], encoding="utf-8")
    made["plain text"] = str(folder / "post.txt")
    made["warcio"] = str(_warc(folder / "crawl.warc.gz"))
    for tool, suffix in (("gzip", "gz"), ("bzip2", "bz2"), ("xz", "xz"), ("zstd", "zst")):
        if shutil.which(tool):
            target = folder / f"{tool}.jsonl.{suffix}"
            with target.open("wb") as sink:
                subprocess.run([tool, "-c", str(folder / "posts.jsonl")], stdout=sink, check=True)
            made[tool] = str(target)
    (site / "feed.xml").write_text(_rss(), encoding="utf-8")
    (site / "atom.xml").write_text(_atom(), encoding="utf-8")
    (site / "page.html").write_text(_page(), encoding="utf-8")
    opml = (
        f'<opml version="2.0"><body><outline xmlUrl="{address}/feed.xml"/>'
        f'<outline xmlUrl="{address}/atom.xml"/></body></opml>'
    )
    (folder / "feeds.opml").write_text(opml)
    (site / "sitemap.xml").write_text(
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        f"<url><loc>{address}/page.html</loc></url></urlset>"
    )
    made["a feed over HTTP"] = f"{address}/feed.xml"
    made["a list of feeds"] = str(folder / "feeds.opml")
    made["a sitemap over HTTP"] = f"{address}/sitemap.xml"
    shutil.copy(site / "feed.xml", folder / "feed.xml")
    shutil.copy(site / "atom.xml", folder / "feed.atom")
    made |= {"RSS file": str(folder / "feed.xml"), "Atom file": str(folder / "feed.atom")}
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser:
        command = [browser, "--headless", "--no-sandbox", "--dump-dom", f"{address}/page.html"]
        done = subprocess.run(command, check=True, capture_output=True)
        (folder / "browser.html").write_bytes(done.stdout)
        version = subprocess.run([browser, "--version"], check=True, capture_output=True, text=True)
        made[" ".join(version.stdout.split()[:2])] = str(folder / "browser.html")
    return made


def _warc(path: Path) -> Path:
    with path.open("wb") as sink:
        writer = WARCWriter(sink, gzip=True)
        for row in ROWS:
            html = f"<html><body><article><p>{escape(row['text'])}</p></article></body></html>"
            headers = StatusAndHeaders(
                "200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1"
            )
            writer.write_record(
                writer.create_warc_record(
                    row["url"], "response", payload=io.BytesIO(html.encode()), http_headers=headers
                )
            )
    return path


def _rss() -> str:
    items = "".join(
        f"<item><guid>{row['id']}</guid><title>{escape(row['text'][:30])}</title>"
        f"<link>{row['url']}</link><pubDate>Mon, 05 Jan 2026 08:00:00 GMT</pubDate>"
        f"<description>{escape('<p>' + row['text'] + '</p>')}</description></item>"
        for row in ROWS
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{items}</channel></rss>'
    )


def _atom() -> str:
    items = "".join(
        f"<entry><id>urn:{row['id']}</id><title>{escape(row['text'][:30])}</title>"
        f"<updated>{row['date']}</updated><content>{escape(row['text'])}</content></entry>"
        for row in ROWS
    )
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">{items}</feed>'


def _page() -> str:
    text = "".join(f"<p>{escape(row['text'])} {escape(row['text'])}</p>" for row in ROWS)
    return _PAGE.replace("TEXT", text)


def _break(whole: list[Path], folder: Path, count: int) -> list[Path]:
    """Return so many broken copies, each in a way of its own."""
    chance = random.Random(5)
    target = folder / "broken"
    target.mkdir()
    ways: list[Callable[[bytes, random.Random], bytes]] = [
        lambda data, draw: data[: draw.randrange(len(data))],
        lambda data, draw: data[draw.randrange(len(data)) :],
        _flipped,
        _flipped,
        lambda data, draw: data.replace(b'"', b"", draw.randrange(1, 9)),
        lambda data, draw: data[: len(data) // 2] + draw.randbytes(64) + data[len(data) // 2 :],
        lambda data, draw: data.replace(b"<", b"\x00<", draw.randrange(1, 4)),
        lambda data, draw: gzip.compress(data)[: draw.randrange(20, 60)],
        lambda data, draw: data * 2 if draw.random() < 0.5 else b"",
        lambda data, _: data.decode("utf-8", "replace").encode("utf-16"),
        lambda data, draw: draw.randbytes(len(data)),
        lambda data, _: b'<!DOCTYPE a [<!ENTITY b "c">]>' + data,
    ]
    made = []
    for number in range(count):
        path = whole[number % len(whole)]
        broken = target / f"{number:03}-{path.name}"
        broken.write_bytes(ways[number // len(whole) % len(ways)](path.read_bytes(), chance))
        made.append(broken)
    return made


def _flipped(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(max(1, len(data) // 100)):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


if __name__ == "__main__":
    main()
