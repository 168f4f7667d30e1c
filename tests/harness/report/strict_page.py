"""How the tests read an HTML page: strictly, so that what is not closed is noticed."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "input", "wbr", "link", "img", "hr", "source", "base"}


class Page(HTMLParser):
    """A page read strictly: every element closed in order, every id kept."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.elements, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def found(self, tag, **wanted):
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and wanted.items() <= attributes.items()
        ]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())
