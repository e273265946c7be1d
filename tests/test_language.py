"""Check that the check of the language finds each fault, and accepts ordinary documentation."""

import importlib.util
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parents[1] / ".ci" / "check_language.py"

# In the style of scikit-learn and numpydoc, with markup that must not be taken for prose.
ORDINARY = '''
def score(x, y, *, normalize=True):
    r"""Return the correlation of `x` and `y`.

    The score is 0 if one of them is constant; see :func:`scale`. Where to find the data is
    described in the user guide. What happens for missing values?

    Parameters
    ----------
    x, y : array_like of float, shape (n,)
        Values; at least two.
    normalize : bool, default True
        If True, divide by the number of values.

    Returns
    -------
    float
        In [-1, 1]; 0 is chance.

    Notes
    -----
    The loss is defined as ``that of; those of; what is none`` in code::

        What a block; of code; holds is none

    .. math:: a; b; c

    Examples
    --------
    >>> score([1, 2], [1, 2])  # nothing is; checked; here
    1.0

    The value does not go on to infinity.
    """
    if x is None:
        raise ValueError(f"`x` must be an array, got {x!r}. Pass a list or an array.")
'''


@pytest.fixture(scope="module")
def check_language():
    spec = importlib.util.spec_from_file_location("check_language", CHECK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def check(check_language, tmp_path):
    def run(text, name="module.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return check_language.check([path])

    return run


def docstring(text):
    return f'def f():\n    """{text}"""\n'


def test_ordinary_docstring_has_no_findings(check):
    report = check(ORDINARY)
    assert report.findings == []
    assert report.openers == 1
    assert report.semicolons == 3
    assert report.sentences == 11


def test_function_must_begin_with_a_verb(check):
    report = check(docstring("The sum of all values."))
    assert len(report.findings) == 1
    assert "module.py:2: the docstring must begin with a verb: The sum" in report.findings[0]
    assert check(docstring("Return the sum of all values.")).findings == []


@pytest.mark.parametrize("name", ["property", "functools.cached_property"])
def test_property_may_begin_with_a_noun(check, name):
    assert check(f"@{name}\n{docstring('The sum of all values.')}").findings == []


def test_tests_may_begin_with_a_noun(check_language):
    assert list(check_language.without_verb(Path(__file__))) == []


@pytest.mark.parametrize(
    "text",
    [
        "The map is none.",
        "There are maps that are none.",
        "If nothing is drawn, return 0.",
        "The run goes on.",
        "The run went on.",
        "Bad images are let be.",
        "No map can be had.",
        "The two cannot be told apart.",
        "Use a map in place of points.",
        "Equal but for rounding.",
        "The map is brought onto the image.",
        "An array is known by its bytes.",
        "Draw so many points.",
        "Sum the values with those of the other map.",
        "The sum is that of the other map.",
        "Return that which is larger.",
    ],
)
def test_phrase_is_found_everywhere(check, text):
    places = [
        (docstring(f"Return a map.\n\n    {text}"), "module.py", 4),
        (f"def f():\n    raise ValueError(f'{{1}} {text}')\n", "module.py", 2),
        (f"warn('{text}', UserWarning)\n", "module.py", 1),
        (f"---\nkey: value\n---\n\n# Title\n\nA line.\n\n- {text}\n", "page.md", 9),
    ]
    for written, name, line in places:
        report = check(written, name)
        assert report.findings
        assert all(f"{name}:{line}: '" in found for found in report.findings)


def test_phrases_in_code_are_ignored(check):
    page = (
        "Call `that of` now.\n\n```python\n# that of\n```\n\n| that of |\n|---|\n\n<!-- that of -->"
    )
    assert check(page, "page.md").findings == []


@pytest.mark.parametrize("word", ["What", "Where", "Whether", "How"])
def test_share_of_question_words_is_limited(check, word):
    others = "A fact. " * 300
    assert check(f"{word} it is. {others}\n", "page.md").openers == 1
    assert check(f"{word} it is. {others}\n", "page.md").passes
    assert not check(f"{word} it is. **{word}** it was. {others}\n", "page.md").passes
    assert check(f"{word} is it? {others}\n", "page.md").openers == 0


def test_rate_of_semicolons_is_limited(check):
    paragraph = "One fact; another. " + "A word more. " * 66
    assert check(f"{paragraph}\n\n" * 3 + "A word. " * 300, "page.md").passes
    report = check(f"{paragraph}\n\n" * 3, "page.md")
    assert report.findings == []
    assert not report.passes


def test_paragraph_has_one_semicolon(check):
    report = check("One fact; a second; a third.\n" + "\n\nA word more." * 1000, "page.md")
    assert len(report.findings) == 1
    assert "page.md:1: several semicolons" in report.findings[0]


def test_exit_status_tells_the_outcome(check_language, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("A fact.\n", encoding="utf-8")
    assert check_language.main([str(page)]) == 0
    page.write_text("A fact. The map is none.\n", encoding="utf-8")
    assert check_language.main([str(page)]) == 1
    assert "page.md:1: 'is none', better" in capsys.readouterr().out
