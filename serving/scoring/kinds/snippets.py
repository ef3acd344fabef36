"""Snippets of HTML inside other formats, as plain text."""

import re

from lxml import etree, html

_BLOCKS = ("br", "p", "div", "li", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "tr")
_HIDDEN = ("script", "style", "template")
_SPACES = re.compile(r"[ \t\xa0]+")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def plain(snippet: str) -> str:
    """Return a snippet without tags and character references, a line for each of its blocks."""
    if "<" not in snippet and "&" not in snippet:
        return snippet.strip()
    try:
        # lxml takes no control characters in text.
        root = html.fragment_fromstring(_CONTROLS.sub("", snippet), create_parent=True)
    except (etree.LxmlError, ValueError):
        return snippet.strip()
    etree.strip_elements(root, etree.Comment, *_HIDDEN, with_tail=False)
    for element in root.iter(*_BLOCKS):
        element.tail = "\n" + (element.tail or "")
        element.text = "\n" + (element.text or "")
    lines = (_SPACES.sub(" ", line).strip() for line in root.text_content().splitlines())
    return "\n".join(line for line in lines if line)
