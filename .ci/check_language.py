"""Check the language of docstrings, messages and documentation pages.

Run by ``make lint``. With paths as arguments, print the counts and findings of these alone::

    python .ci/check_language.py gazesal/stats docs/concepts
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ("gazesal", "tests", "docs", "benchmarks", "examples", "README.md", "CHANGELOG.md")
OPENERS = {"What", "Where", "Whether", "How"}
MOST_OPENERS = 0.005  # of all sentences
MOST_SEMICOLONS = 3.0  # per 1,000 words
# phrases of no other scientific library, with what to write instead
PHRASES = {
    r"\b(is|are|was|were|be) none\b": "is not a ..., has no ...",
    r"\bthat are none\b": "has no ..., invalid ...",
    r"\bnothing is\b": "no ... is",
    r"\bgo(es)? on\b(?! to)": "resume, continue",
    r"\bwent on\b": "resumed, continued",
    r"\blet be\b": "ignored, kept",
    r"\b(can|could|cannot) be had\b": "is available",
    r"\b(tell|tells|told|telling) (them |these |two |it )?apart\b": "distinguish",
    r"\bin place of\b": "instead of",
    r"\bbut for\b": "except for",
    r"\b(bring|brings|brought|bringing) (\w+ ){0,4}onto\b": "resize to, align with",
    r"\bis known by\b": "fingerprint",
    r"\bknown by\b(?=[.;,:])": "fingerprint",
    r"\bso many\b": "that number of",
    r"\bthose of\b": "the ... of (name the thing)",
    r"\bthat of\b": "the ... of (name the thing)",
    r"\bthat which\b": "name the thing",
}
# how the docstring of a function may begin; add a verb that is missing
VERBS = frozenset(Path(__file__).with_name("verbs.txt").read_text("utf-8").split())
CODE = re.compile(r"``.+?``|`[^`]+`|:math:`[^`]*`|https?://\S+", re.DOTALL)
SENTENCE_END = re.compile(r"(?<=[.!?:])\s+(?=[A-Z`\"*])")
NO_VERB = "[no verb first]"
SECTION = re.compile(r"^\s*(-{3,}|={3,}|\.\. \w.*)$")


class Text(NamedTuple):
    """A paragraph or a message, and where it begins."""

    place: str
    words: str


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of prose of a docstring or a page, without code, tables and markup."""
    kept: list[str] = []
    fence = example = directive = False
    indent = 0
    for line in [*text.splitlines(), ""]:
        bare = line.strip()
        depth = len(line) - len(line.lstrip())
        if bare.startswith(("```", "~~~", ":::")):
            fence = not fence if not bare.startswith(":::") else fence
            bare = ""
        elif bare.startswith(">>>"):
            example = True
        elif bare.startswith(".. ") and bare.endswith("::"):
            directive, indent = True, depth
        elif directive and bare and depth <= indent:
            directive = False
        skipped = (
            fence or example or directive or bare.startswith((">>>", "|", "$$", "%", "#", "<"))
        )
        if not bare:
            example = False
        if skipped or not bare or SECTION.match(line):
            if kept:
                yield " ".join(kept)
            kept = []
            continue
        if bare.startswith(("- ", "* ")) or re.match(r"\d+\. ", bare):
            if kept:
                yield " ".join(kept)
            kept = []
            bare = re.sub(r"^(?:[-*]|\d+\.) (?:\*\*.+?\*\*)?", "", bare)
        if re.match(r"^[\w, *]+ : \S", bare):  # a parameter and its type
            if kept:
                yield " ".join(kept)
            kept = []
            continue
        kept.append(bare)
    if kept:
        yield " ".join(kept)


def of_python(path: Path) -> Iterator[Text]:
    """Yield the docstrings of a module, and the texts of its errors and warnings."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            line = getattr(node, "lineno", 1)
            for paragraph in paragraphs(text or ""):
                yield Text(f"{path}:{line}", paragraph)
            if text and _is_procedure(node, path) and text.split()[0].rstrip(",.:") not in VERBS:
                yield Text(f"{path}:{line}", f"{NO_VERB} {text.splitlines()[0][:60]}")
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield from _messages(node.exc, path)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "warn":
            yield from _messages(node, path)


def _is_procedure(node: ast.AST, path: Path) -> bool:
    """Return whether a docstring is that of a function, which begins with a verb."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or "tests" in path.parts:
        return False
    names = {getattr(each, "id", getattr(each, "attr", "")) for each in node.decorator_list}
    return not names & {"property", "cached_property"}


def _messages(call: ast.Call, path: Path) -> Iterator[Text]:
    """Yield the text arguments of a call, with a placeholder for every inserted value."""
    for argument in call.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield Text(f"{path}:{call.lineno}", argument.value)
        elif isinstance(argument, ast.JoinedStr):
            parts = (
                part.value if isinstance(part, ast.Constant) else "X" for part in argument.values
            )
            yield Text(f"{path}:{call.lineno}", "".join(map(str, parts)))


def of_page(path: Path) -> Iterator[Text]:
    """Yield the paragraphs of a page."""
    text = path.read_text("utf-8")
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    for paragraph in paragraphs(text):
        yield Text(str(path), paragraph)


def texts(paths: list[Path]) -> Iterator[Text]:
    """Yield all texts below some paths."""
    for path in paths:
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in found:
            if "_build" in file.parts:
                continue
            if file.suffix == ".py":
                yield from of_python(file)
            elif file.suffix in {".md", ".rst"}:
                yield from of_page(file)


def findings(every: list[Text]) -> tuple[list[str], dict[str, float]]:
    """Return a line for every finding, and the rates."""
    lines, openers, sentences, semicolons, words = [], 0, 0, 0, 0
    for place, text in every:
        if text.startswith(NO_VERB):
            lines.append(f"{place}: the docstring must begin with a verb: {text[len(NO_VERB) :]}")
            continue
        prose = CODE.sub("X", text)
        words += len(prose.split())
        semicolons += prose.count(";")
        if prose.count(";") > 1:
            lines.append(f"{place}: more than one semicolon in a paragraph: {text[:70]}")
        for sentence in SENTENCE_END.split(prose):
            sentences += 1
            first = sentence.split(maxsplit=1)[0] if sentence.strip() else ""
            if first in OPENERS and not sentence.endswith("?"):
                openers += 1
                lines.append(f"{place}: begins with {first}: {sentence[:70]}")
        for pattern, instead in PHRASES.items():
            for match in re.finditer(pattern, prose):
                around = prose[max(0, match.start() - 25) : match.end() + 25]
                lines.append(f"{place}: {match[0]!r}, better {instead}: ...{around}...")
    return lines, {
        "sentences": sentences,
        "words": words,
        "share of sentences that begin with What, Where, Whether or How": openers
        / max(sentences, 1),
        "semicolons per 1,000 words": 1000 * semicolons / max(words, 1),
    }


def main(arguments: list[str]) -> int:
    """Print the findings and the rates, and return the exit status."""
    paths = [Path(name) for name in arguments] or [ROOT / name for name in DEFAULT]
    lines, rates = findings(list(texts(paths)))
    print("\n".join(lines))
    for name, value in rates.items():
        print(f"{name}: {value:.4g}")
    print(f"findings: {len(lines)}")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
