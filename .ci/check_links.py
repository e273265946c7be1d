"""Check every link inside the built documentation: `python .ci/check_links.py docs/_build/html`.

Sphinx resolves names when it reads a page and does not check the pages that it writes. For
instance, a footnote that is cited after its bibliography has a broken link. Run by `make docs`.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors and links of a page, each link with its line."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links = set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Record the anchors and links of a tag."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif name in ("href", "src") and value is not None:
                self.links.append((value, self.getpos()[0]))


def dead_links(folder):
    """Return the broken links of the pages in a folder, and the number of pages."""
    folder = Path(folder).resolve()
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        if "_static" in path.relative_to(folder).parts:
            continue  # the theme leaves its templates there
        for link, line in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue  # another site
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            anchor = unquote(parts.fragment)
            if not (target.is_relative_to(folder) and target.is_file()):
                problem = "no such file"
            elif anchor and target in pages and anchor not in pages[target].anchors:
                problem = "no such anchor"
            else:
                continue
            found.append(f"{path.relative_to(folder)}, line {line}: {link}: {problem}")
    return found, len(pages)


def main():
    """Print the broken links of a folder, and exit with status 1 if there are any."""
    found, n_pages = dead_links(sys.argv[1])
    if not n_pages:
        sys.exit(f"{sys.argv[1]} contains no HTML page")
    if found:
        sys.exit("\n".join([*found, f"{len(found)} broken links"]))
    print(f"{n_pages} pages without a broken link")


if __name__ == "__main__":
    main()
