"""A page as a checker sees it: every element closed, its attributes, its headings, what it loads."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"meta", "img", "input", "br", "wbr", "link", "hr"}


class Element(NamedTuple):
    """A start tag, the text directly inside it, and the tags around it."""

    tag: str
    attributes: dict[str, str]
    inside: tuple[str, ...]
    text: list[str]

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


class Page(HTMLParser):
    """Reads a page and fails at the first tag that is not closed, or closed twice."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {[each.tag for each in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice: {self.get_starttag_text()}"
        found = Element(tag, {name: value or "" for name, value in attrs}, tuple(each.tag for each in self._open), [])
        self.elements.append(found)
        if tag not in VOID:
            self._open.append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, f"{tag} closes {[each.tag for each in self._open]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for each in self._open:
            each.text.append(data)

    def of(self, *tags: str) -> list[Element]:
        return [each for each in self.elements if each.tag in tags]
