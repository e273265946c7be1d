"""Check the language of docstrings, messages and documentation pages.

Run by ``make lint``. With paths as arguments, only these are checked::

    python .ci/check_language.py gazesal/stats docs/concepts
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (".ci", ".github", "gazesal", "tests", "docs", "benchmarks", "examples")
PAGES = ("README.md", "CHANGELOG.md")
OPENERS = {"What", "Where", "Whether", "How"}
MOST_OPENERS = 0.005  # of all sentences; comparable libraries have at most 0.003
MOST_SEMICOLONS = 3.0  # per 1,000 words; comparable libraries have at most 2
# Phrases that other scientific libraries do not use, and the words to use instead.
PHRASES = {
    r"\b(?:is|are|was|were|be) none\b(?! of)": "is not a ..., has no ...",
    r"\bnothing is\b": "no ... is",
    r"\bgo(?:es)? on\b(?! to\b)": "resume, continue",
    r"\bwent on\b": "resumed, continued",
    r"\blet be\b": "ignored, kept",
    r"\b(?:can|could|cannot) be had\b": "is available",
    r"\b(?:tell|tells|told|telling) (?:them |these |two |it )?apart\b": "distinguish",
    r"\bin place of\b": "instead of",
    r"\bbut for\b": "except for",
    r"\b(?:bring|brings|brought|bringing) (?:\w+ ){0,4}onto\b": "resize to, align with",
    r"\bis known by\b": "fingerprint",
    r"\bknown by\b(?=[.;,:])": "fingerprint",
    r"\bso many\b": "that number of",
    r"\b(?:those|that) of\b": "the ... of (name the thing)",
    r"\bthat which\b": "name the thing",
    r"\banew\b": "again",
    r"\blikewise\b": "too, also, in the same way",
}
# Verbs with which the docstring of a function may begin. Add a verb that is missing.
VERBS = frozenset(Path(__file__).with_name("verbs.txt").read_text("utf-8").split())
# Inserted for code, links and values in messages, so that they count as words and not as phrases.
PLACEHOLDER = "X"
CODE = re.compile(
    r"``.+?``|\{[\w:-]+\}`[^`]*`|`[^`]+`|:\w+:`[^`]*`|\$[^$\n]+\$|https?://\S+", re.DOTALL
)
SENTENCE_END = re.compile(r"(?<=[.!?:])[\"')*_]*\s+(?=[A-Z`\"*(\[])")
# Lines that end a paragraph and are no prose: tables, math, headings, comments, HTML, directives.
MARKUP = re.compile(r"\||\$\$|%|#|<|>>>|\.\. |:::|:\w+:")
UNDERLINE = re.compile(r"(?:-{3,}|={3,}|\^{3,})$")
FENCE = re.compile(r"`{3,}|~{3,}")
FIRST_WORD = re.compile(r"\W*(\w+)")
QUESTION = re.compile(r"\?\W*$")
ITEM = re.compile(r"(?:[-*]|\d+\.)\s+(?:\[[ x]\]\s+)?")
PARAMETER = re.compile(r"[\w, *]+ : \S")
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
SHOWN = 60  # characters of a text in a finding


class Paragraph(NamedTuple):
    """A paragraph of prose, or a message, with its place."""

    path: Path
    line: int
    words: str


class Report(NamedTuple):
    """Findings, a line for each, and counts over all texts.

    A finding is an error. The places in `notes` are errors only if their rate is too high.
    """

    findings: list[str]
    notes: list[str]
    sentences: int
    words: int
    openers: int
    semicolons: int

    @property
    def opener_rate(self) -> float:
        """Share of sentences that begin with What, Where, Whether or How."""
        return self.openers / max(self.sentences, 1)

    @property
    def semicolon_rate(self) -> float:
        """Semicolons per 1,000 words."""
        return 1000 * self.semicolons / max(self.words, 1)

    @property
    def passes(self) -> bool:
        """True if there are no findings and both rates are low."""
        rates = self.opener_rate <= MOST_OPENERS and self.semicolon_rate <= MOST_SEMICOLONS
        return rates and not self.findings


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line, counted from 0, and the prose of each paragraph of a docstring or page."""
    kept: list[str] = []
    start = depth = 0
    for number, line in [*_prose_lines(text), (0, "")]:
        bare = line.strip()
        own_depth = len(line) - len(line.lstrip())
        item = ITEM.match(bare)
        indented = kept and own_depth >= depth + 4
        if UNDERLINE.match(bare) or (indented and len(kept) == 1 and kept[0][-1] not in ".:?"):
            kept = []  # a heading, or the name or type of a returned value
        elif kept and (not bare or item or indented):
            yield start, " ".join(kept)
            kept = []
        if bare and not UNDERLINE.match(bare):
            start = start if kept else number
            depth = own_depth
            kept.append(bare[item.end() :] if item else bare)


def _prose_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a text, with an empty line for code, tables and other markup."""
    fence, example, block = "", False, -1
    for number, line in enumerate(text.splitlines()):
        bare = line.strip()
        depth = len(line) - len(line.lstrip())
        example = bare.startswith(">>>") or (example and bare != "")
        if fence:
            fence = "" if bare == fence else fence
            bare = ""
        elif opening := FENCE.match(bare):
            fence, bare = opening[0], ""
        elif bare and depth <= block:
            block = -1
        inside = example or block >= 0
        if block < 0 and bare.endswith("::"):
            block = depth  # the content of a directive or literal block is indented deeper
        skipped = inside or MARKUP.match(bare) or PARAMETER.match(bare)
        yield number, "" if skipped or not bare else line


def of_python(path: Path) -> Iterator[Paragraph]:
    """Yield the paragraphs of the docstrings, errors and warnings of a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                line = node.body[0].lineno
                yield from (Paragraph(path, line + n, prose) for n, prose in paragraphs(text))
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield from _messages(node.exc, path)
        elif isinstance(node, ast.Call) and _name(node.func) in {"warn", "fail", "exit"}:
            yield from _messages(node, path)


def _messages(call: ast.Call, path: Path) -> Iterator[Paragraph]:
    """Yield the texts among the arguments of a call, with a placeholder for each value."""
    for argument in call.args:
        parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
        texts = [part.value if isinstance(part, ast.Constant) else PLACEHOLDER for part in parts]
        if all(isinstance(text, str) for text in texts) and texts != [PLACEHOLDER]:
            yield Paragraph(path, argument.lineno, "".join(texts))


def _name(node: ast.AST) -> str:
    """Return the last name of a function or decorator."""
    if isinstance(node, ast.Call):
        node = node.func
    return getattr(node, "attr", getattr(node, "id", ""))


def without_verb(path: Path) -> Iterator[str]:
    """Yield a finding for each function whose docstring does not begin with a verb.

    Properties are named like attributes, and fixtures of tests like the object they make, so that
    both may begin with a noun.
    """
    if "tests" in _shown(path).parts or path.name == "conftest.py":
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        text = ast.get_docstring(node)
        if not text or {"property", "cached_property"} & set(map(_name, node.decorator_list)):
            continue
        if text.split(maxsplit=1)[0].rstrip(",.:") not in VERBS:
            place = f"{_shown(path)}:{node.body[0].lineno}"
            yield f"{place}: the docstring must begin with a verb: {text.splitlines()[0][:SHOWN]}"


def of_page(path: Path) -> Iterator[Paragraph]:
    """Yield the paragraphs of a page."""
    text = path.read_text("utf-8")
    front = FRONT_MATTER.match(text)
    skipped = front[0].count("\n") if front else 0
    for number, prose in paragraphs(text[front.end() :] if front else text):
        yield Paragraph(path, 1 + skipped + number, prose)


def files(paths: list[Path]) -> Iterator[Path]:
    """Yield the modules and pages below some paths."""
    for path in paths:
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in found:
            generated = {"_build", "generated"} & set(file.parts)
            if file.suffix in {".py", ".md", ".rst"} and not generated:
                yield file


def check(paths: list[Path]) -> Report:
    """Check all modules and pages below some paths."""
    findings: list[str] = []
    notes: list[str] = []
    sentences = words = openers = semicolons = 0
    for path in files(paths):
        if path.suffix == ".py":
            findings += without_verb(path)
        for paragraph in of_python(path) if path.suffix == ".py" else of_page(path):
            place = f"{_shown(path)}:{paragraph.line}"
            prose = CODE.sub(PLACEHOLDER, paragraph.words)
            words += len(prose.split())
            semicolons += prose.count(";")
            if prose.count(";") > 1:
                findings.append(f"{place}: several semicolons in a paragraph: {prose[:SHOWN]}")
            for sentence in SENTENCE_END.split(prose):
                sentences += 1
                first = FIRST_WORD.match(sentence)
                if first and first[1] in OPENERS and not QUESTION.search(sentence):
                    openers += 1
                    notes.append(f"{place}: begins with {first[1]}: {sentence[:SHOWN]}")
            findings += (
                f"{place}: {match[0]!r}, better: {instead}"
                for pattern, instead in PHRASES.items()
                for match in re.finditer(pattern, prose)
            )
    return Report(findings, notes, sentences, words, openers, semicolons)


def _shown(path: Path) -> Path:
    """Return a path relative to the project, if it is inside."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def main(arguments: list[str]) -> int:
    """Print the findings and the rates, and return the exit status."""
    report = check(
        [Path(name).resolve() for name in arguments or [ROOT / each for each in FOLDERS + PAGES]]
    )
    print("\n".join(report.notes + report.findings))
    print(f"{len(report.findings)} findings in {report.sentences} sentences, {report.words} words")
    print(
        f"{report.opener_rate:.2%} of sentences begin with a question word (at most "
        f"{MOST_OPENERS:.1%}), {report.semicolon_rate:.1f} semicolons per 1,000 words (at most "
        f"{MOST_SEMICOLONS:.0f})"
    )
    return 0 if report.passes else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
