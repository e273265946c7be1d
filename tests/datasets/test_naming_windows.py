"""Mentions of findings in a dictation, and fixations in the windows of the mentions."""

import numpy as np
import pandas as pd
import pytest

from gazesal import find_mentions, gaze_when_named
from gazesal.datasets import REFLACX_TERMS, Reflacx
from gazesal.datasets.synthetic_reflacx.findings import FINDINGS, PHASE_LABELS

WINDOWS = {
    "truth_last_mention.csv": "last_mention",
    "truth_first_mention.csv": "first_mention",
    "truth_end_of_sentence.csv": "sentence",
}
KEYS = ["reading", "sentence", "line"]


def dictation(text, *, pace=0.5):
    """Return a table of words, each of which begins `pace` seconds after the one before."""
    words = text.split()
    starts = pace * np.arange(len(words))
    return pd.DataFrame({"word": words, "start": starts, "end": starts + 0.8 * pace})


def gaze(n=40, step=0.25):
    """Return a table of fixations without gaps."""
    starts = step * np.arange(n)
    return pd.DataFrame({"start": starts, "end": starts + step, "x": np.arange(n), "y": 0.0})


def of_each_sentence(found):
    """Return one row per sentence and fixation, with the duration in milliseconds."""
    rows = found.drop(columns="label").reset_index().drop_duplicates(["sentence", "line"])
    return rows.assign(duration=rows["duration"] * 1000)


@pytest.mark.parametrize("file", WINDOWS)
@pytest.mark.parametrize("given_as", ["positions", "letters"])
def test_equals_the_reference_windows_to_the_millisecond(shared, file, given_as):
    folder = shared / "formats" / "14_reflacx"
    release = Reflacx(folder, phases=(2,))
    mentions = pd.read_csv(folder / "mentions.csv")
    truth = pd.read_csv(folder / file)
    parts = []
    for reading, own in mentions.groupby("reading"):
        words = release.transcription(reading)
        if given_as == "letters":
            spans = own.groupby("label")[["char_start", "char_end"]]
            own = {label: list(map(tuple, rows.to_numpy())) for label, rows in spans}  # noqa: PLW2901
        found = gaze_when_named(release.fixations(reading), words, own, window=WINDOWS[file])
        parts.append(of_each_sentence(found).assign(reading=reading))
    ours = pd.concat(parts).sort_values(KEYS)
    truth = truth.sort_values(KEYS)
    assert ours[KEYS].to_numpy().tolist() == truth[KEYS].to_numpy().tolist()
    columns = ["x", "y", "start", "end", "duration"]
    np.testing.assert_allclose(ours[columns], truth[columns], rtol=0, atol=1e-6)


def test_reference_dictations_are_read_and_searched(shared):
    folder = shared / "formats" / "14_reflacx"
    release = Reflacx(folder, phases=(2,))
    truth = pd.read_csv(folder / "mentions.csv")
    for reading, own in truth.groupby("reading"):
        words = release.transcription(reading)
        assert set(words["word"]) & {".", ","}
        columns = ["label", "sentence"]  # a labeler may begin a mention at a word before the term
        named = {label: REFLACX_TERMS[label] for label in own["label"]}
        found = find_mentions(words, named)
        assert found[columns].to_numpy().tolist() == own[columns].to_numpy().tolist()


def test_windows_by_hand():
    words = dictation("heart is large . small left effusion with atelectasis . clear .")
    labels = {"Heart": ["heart"], "Effusion": ["effusion"], "Atelectasis": ["atelectasis"]}
    found = gaze_when_named(gaze(), words, labels)
    spans = found.groupby(["sentence", "label"]).agg({"start": "min", "end": "max"})
    # the second sentence begins at 2.0, 1.5 s before which is after the first sentence's begin
    assert spans.loc[(1, "Effusion")].tolist() == [0.5, 4.0]
    assert spans.loc[(1, "Atelectasis")].tolist() == [0.5, 4.0]  # one window for a sentence
    # "heart" is the first word, so that nothing was seen before it
    assert found[found["sentence"] == 0]["duration"].sum() == 0
    first = gaze_when_named(gaze(), words, labels, window="first_mention")
    assert first[first["label"] == "Atelectasis"]["end"].max() == 3.0
    whole = gaze_when_named(gaze(), words, labels, window="sentence")
    assert whole[whole["sentence"] == 1]["end"].max() == pytest.approx(4.9)


def test_window_does_not_begin_before_the_sentence_before():
    words = dictation("lungs . edema", pace=0.5)
    found = gaze_when_named(gaze(), words, {"Edema": ["edema"]}, before=30)
    assert found["start"].min() == 0.0
    found = gaze_when_named(gaze(), words.iloc[1:], {"Edema": ["edema"]}, before=30)
    assert found["start"].min() == 0.5  # of the sentence that is a period only


def test_functions_give_windows_of_ones_own():
    words = dictation("lungs clear . left effusion .")
    found = gaze_when_named(
        gaze(), words, {"Effusion": [4]}, window=lambda named: (named.end, named.end + 1)
    )
    assert (found["start"].min(), found["end"].max()) == (pytest.approx(2.9), pytest.approx(3.9))
    with pytest.raises(ValueError, match="`window` must return a begin"):
        gaze_when_named(gaze(), words, {"Effusion": [4]}, window=lambda _: (2, 1))
    with pytest.raises(TypeError, match="`window` must return two times"):
        gaze_when_named(gaze(), words, {"Effusion": [4]}, window=lambda _: 2)


def test_fixation_that_begins_at_the_end_has_duration_zero():
    words = dictation("left effusion")
    found = gaze_when_named(gaze(), words, {"Effusion": ["effusion"]})
    assert found["duration"].tolist() == [0.25, 0.25, 0.0]


def test_label_that_is_not_named_gives_an_empty_table_with_all_columns():
    found = gaze_when_named(gaze(), dictation("lungs clear ."), {"Effusion": ["effusion"]})
    assert found.empty
    assert list(found.columns) == ["label", "sentence", "start", "end", "x", "y", "duration"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no effusion or mass .", []),
        ("no effusion , small mass .", ["mass"]),
        ("no effusion . Mass .", ["mass"]),
        ("masses without effusion .", []),
        ("ground-glass opacity .", ["ground glass"]),
        ("ground glass opacity .", ["ground glass"]),
        ("a mass , mass .", ["mass", "mass"]),
    ],
)
def test_terms_are_found_unless_negated(text, found):
    terms = {term: [term] for term in ("effusion", "mass", "ground glass")}
    assert find_mentions(dictation(text), terms)["label"].tolist() == found


def test_mentions_are_refused_if_they_are_not_in_the_dictation():
    words = dictation("left effusion .")
    for place, kind, message in (
        (3, ValueError, "3 words of the dictation"),
        ((99, 100), ValueError, "3 words"),
        ((4, 5), ValueError, "3 words"),  # the blank after "left"
        (1.5, TypeError, "positions of words"),
        (True, TypeError, "positions of words"),
    ):
        with pytest.raises(kind, match=message):
            gaze_when_named(gaze(), words, {"Effusion": [place]})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start": [1.0, 0.5, 2.0]}, "words must be in the order"),
        ({"end": [0.1, 0.2, 3.0]}, "row 1: words must be in the order"),
        ({"word": ["a", "", "."]}, "row 1: a word must be text"),
    ],
)
def test_words_are_checked(change, words):
    table = dictation("left effusion .").assign(**change)
    with pytest.raises(ValueError, match=words):
        find_mentions(table, {"Effusion": ["effusion"]})


def test_every_label_with_a_place_has_terms():
    labels = {label for names in PHASE_LABELS.values() for label in names}
    assert labels - set(REFLACX_TERMS) == {"Other", "Quality issue"}
    for finding in FINDINGS.values():  # the synthetic dictations name findings by these words
        for label in {finding.phase_1, finding.phase_2}:
            words = dictation(f"there is {finding.words} .")
            assert len(find_mentions(words, {label: REFLACX_TERMS[label]})) == 1
