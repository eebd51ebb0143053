"""The report on each class against scikit-learn, its intervals against simulated truth, and where it is seen."""

import dataclasses
import io
import math
import re

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import norm
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

from test_history import make_history
from test_mistakes import LABELS, NAMES, SAID, images
from test_mistakes import predicted as predicted_alone
from vgglab import class_report, plot_class_report
from vgglab.charts.baselines import baselines, grouped
from vgglab.commands.class_tables import print_classes
from vgglab.datasets import Dataset
from vgglab.errors import InputError
from vgglab.history import History
from vgglab.measures.auc import one_against_rest
from vgglab.measures.class_counts import counted
from vgglab.measures.class_intervals import (
    auc_interval,
    balanced_accuracy_interval,
    f1_interval,
    macro_f1_interval,
    share,
)
from vgglab.measures.classes import FIGURES, reports_of
from vgglab.measures.evaluation import judged
from vgglab.panel.mistakes import static
from vgglab.share.card import history_of_card, run_card
from vgglab.share.store import check_same


def predicted(data, probabilities=SAID):
    """A history whose kept row says of the validation images what its predictions do, so that a record takes it."""
    history = predicted_alone(data, probabilities)
    history.epochs[-1]["validation_accuracy"] = float(history.predictions.right.mean())
    return history


def drawn(classes, n=300, seed=0, least=0, ties=False):
    """Unequal classes and probabilities that know something of them; classes below `least` have no image."""
    rng = np.random.default_rng(seed)
    labels = least + (rng.random(n) ** 2 * (classes - least)).astype(int)
    logits = rng.normal(size=(n, classes)) + 1.5 * np.eye(classes)[labels]
    said = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    said = np.round(said, 1) if ties else said
    return labels, (said + 1e-9) / (said + 1e-9).sum(1, keepdims=True)


def report_on(labels, said, part="validation"):
    names = [f"class {number}" for number in range(np.shape(said)[1])]
    history = predicted(images(labels, names), said)
    if part == "test":
        history.test = judged(np.float32(said), np.asarray(labels))
    return class_report(history, part=part)


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize(
    ("classes", "options"), [(2, {}), (2, dict(ties=True)), (5, {}), (5, dict(ties=True)), (40, dict(n=900))]
)
def test_every_figure_is_that_of_scikit_learn(classes, options, part):
    labels, said = drawn(classes, **options)
    report, given = report_on(labels, said, part), np.float32(said).argmax(1)
    found = precision_recall_fscore_support(labels, given, labels=range(classes), zero_division=np.nan)
    for name, column in zip(("precision", "recall", "f1", "images"), found):
        np.testing.assert_allclose(report.classes[name], column)
    areas = [roc_auc_score(labels == each, np.float32(said)[:, each]) for each in range(classes)]
    np.testing.assert_allclose(report.classes["auc"], areas)
    assert report.classes["given"].tolist() == np.bincount(given, minlength=classes).tolist()
    assert report.auc.value == pytest.approx(areas[1] if classes == 2 else np.mean(areas))
    assert report.accuracy.value == pytest.approx(accuracy_score(labels, given))
    assert report.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(labels, given))
    assert report.macro_f1.value == pytest.approx(f1_score(labels, given, average="macro"))
    assert (report.chance, report.images) == (1 / classes, len(labels))
    assert report.majority == pytest.approx(
        accuracy_score(labels, np.full(len(labels), np.bincount(labels).argmax()))
    )
    for name in FIGURES:
        known = report.classes[report.classes[name].notna()]
        assert (known[f"{name}_low"] <= known[name]).all() and (known[name] <= known[f"{name}_high"]).all()
        assert known[f"{name}_low"].min() >= 0 and known[f"{name}_high"].max() <= 1


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
def test_what_is_divided_by_zero_is_not_defined_and_said():
    """Class 0 has no image but is given, 1 has none and is never given, 4 is there and never given."""
    labels, said = drawn(5, least=2)
    said[:, [1, 4]] = 0
    said[0] = [1, 0, 0, 0, 0]
    report, given = report_on(labels, said), np.float32(said).argmax(1)
    assert 4 in labels and 0 in given
    found = precision_recall_fscore_support(labels, given, labels=range(5), zero_division=np.nan)
    for name, column in zip(("precision", "recall", "f1"), found):
        np.testing.assert_allclose(report.classes[name], column)
    assert report.classes["precision"].isna().tolist() == [False, True, False, False, True]
    assert (
        report.classes["recall"].isna().tolist()
        == report.classes["auc"].isna().tolist()
        == [True, True] + 3 * [False]
    )
    assert report.classes["f1"].isna().tolist() == [False, True, False, False, False]
    assert report.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(labels, given))
    assert report.macro_f1.value == pytest.approx(f1_score(labels, given, average="macro"))
    assert report.notes == (
        "No image is taken for 'class 4': precision is not defined there, F1 is 0.",
        "The validation part has no image of 'class 0' and 'class 1': recall and AUC are not defined there, and the "
        "balanced accuracy leaves it out.",
    )


def test_images_of_one_class_alone_have_no_auc():
    report = report_on(np.ones(6, int), np.tile([0.4, 0.6], (6, 1)))
    assert not report.auc.is_defined and report.classes["auc"].isna().all() and report.majority == 1
    assert "AUC of class 1 not defined" in str(report)
    assert report.notes[-1] == "All images of the validation part are of one class: no AUC is defined."
    assert report.balanced_accuracy.value == report.accuracy.value == 1


def test_by_hand():
    """LABELS and SAID of the mistakes: of two asters one is right, of two bells one, of two clovers none."""
    report = class_report(predicted(images(LABELS)))
    assert report.classes.index.tolist() == list(NAMES) and report.classes.index.name == "class"
    assert report.classes["recall"].tolist() == [0.5, 0.5, 0.0]
    assert report.classes["precision"].tolist() == [0.5, 1 / 3, 0.0]
    # For aster 0.7 and 0 stand against 0.3, 0.1, 0.8 and 0.1: three of eight pairs are in order.
    assert report.classes["auc"].iloc[0] == pytest.approx(3 / 8)
    assert report.accuracy == share(2, 6) and report.majority == report.chance == 1 / 3
    assert str(report) == (
        "Validation, 6 images, with 95% intervals: accuracy 33.3% (9.7 to 70.0%), balanced accuracy 33.3% (9.7 to "
        f"70.0%), macro F1 30.0% (8.1 to 67.5%), mean AUC, one against rest {report.auc}. Chance is 33.3%."
    )


def test_the_classes_of_least_recall_are_listed_where_there_are_many():
    report = report_on(*drawn(40, n=900))
    listed = report.classes["recall"].iloc[report.listed()]
    assert len(listed) == 10 and listed.max() <= report.classes["recall"].nsmallest(10).max()
    assert report.listed(most=40) == list(range(40))


def test_intervals_against_published_ones():
    """Newcombe 2006, part 2, has no table of method 5, so: its ends are where its own equation holds."""
    for area, inside, outside in ((0.8, 20, 30), (0.95, 5, 100), (0.55, 40, 10)):
        found, both = auc_interval(area, inside, outside), (inside + outside) / 2 - 1
        for end in found[1:]:
            variance = end * (1 - end) * (1 + both * (1 - end) / (2 - end) + both * end / (1 + end))
            assert (area - end) ** 2 == pytest.approx(
                norm.ppf(0.975) ** 2 * variance / (inside * outside), rel=1e-6
            )
    perfect = auc_interval(1.0, 10, 10)
    assert perfect.high == 1 and 0.7 < perfect.low < 0.9
    # Wilson's interval of 3 of 4, which are of the class or taken for it, as F1.
    low, high = share(3, 4)[1:]
    assert f1_interval(3, 4, 3) == pytest.approx((6 / 7, 2 * low / (1 + low), 2 * high / (1 + high)))
    assert f1_interval(0, 3, 0).value == 0 and math.isnan(f1_interval(0, 0, 0).low)


def test_of_classes_alike_the_balanced_accuracy_has_wilsons_interval():
    """With equal recalls of equal classes it is the accuracy, and so is its interval."""
    counts = np.array([[8, 2], [2, 8]])
    assert balanced_accuracy_interval(counts) == pytest.approx(share(16, 20))
    assert macro_f1_interval(counts) == pytest.approx(share(16, 20), abs=1e-6)
    assert balanced_accuracy_interval(np.diag([10, 10])) == pytest.approx(share(20, 20))


CASES = {
    "two, one rare": ([0.95, 0.6], [90, 10]),
    "three, unequal": ([0.9, 0.7, 0.4], [300, 60, 20]),
    "ten, unequal": (np.linspace(0.95, 0.3, 10), np.geomspace(100, 5, 10).astype(int)),
    "five, small and good": ([0.97] * 5, [10] * 5),
    "eight of fifty": ([0.8] * 8, [50] * 8),
}


@pytest.mark.parametrize(("recall", "images"), CASES.values(), ids=CASES)
def test_intervals_hold_the_truth_about_as_often_as_they_say(recall, images):
    """600 samples of a known confusion; 0.95 has a standard error of 0.009."""
    rng, images, classes = np.random.default_rng(5), np.array(images), len(images)
    chances = np.full((classes, classes), 0.0) + ((1 - np.array(recall)) / (classes - 1))[:, None]
    np.fill_diagonal(chances, recall)
    whole = images[:, None] * chances
    f1s = 2 * np.diag(whole) / (whole.sum(0) + whole.sum(1))
    held = np.zeros(2)
    for _ in range(600):
        counts = np.array([rng.multinomial(n, each) for n, each in zip(images, chances)])
        found = balanced_accuracy_interval(counts), macro_f1_interval(counts)
        held += [each.low <= truth <= each.high for each, truth in zip(found, (np.mean(recall), f1s.mean()))]
    assert (held / 600 > 0.915).all(), held / 600


@pytest.mark.parametrize(("distance", "inside", "outside"), [(1.0, 10, 90), (2.0, 30, 30), (3.0, 20, 20)])
def test_the_interval_of_an_auc_holds_the_truth(distance, inside, outside):
    """Two normal distributions, whose AUC is known (Bamber 1975)."""
    rng, truth, held = np.random.default_rng(3), norm.cdf(distance / math.sqrt(2)), 0
    labels = np.repeat([0, 1], [outside, inside])
    for _ in range(400):
        scores = norm.cdf(rng.normal(labels * distance, 1))
        found = one_against_rest(np.column_stack([1 - scores, scores]), labels).overall
        held += found.low <= truth <= found.high
    assert held / 400 > 0.92


@pytest.mark.parametrize("images", [[100, 30, 10], [20] * 5], ids=["unequal", "small"])
def test_the_interval_of_the_mean_auc_holds_the_truth(images):
    rng, classes = np.random.default_rng(4), len(images)

    def areas(counts):
        labels = np.repeat(np.arange(classes), counts)
        logits = rng.normal(size=(len(labels), classes)) + 1.5 * np.eye(classes)[labels]
        said = np.exp(logits)
        return one_against_rest(said / said.sum(1, keepdims=True), labels).overall

    truth = areas(
        [20_000] * classes
    ).value  # of a class against the others, which are alike, so their share is nothing
    found = [areas(images) for _ in range(250)]
    assert np.mean([each.low <= truth <= each.high for each in found]) > 0.91


def test_confusion_counts_as_scikit_learn_does_in_any_whole_numbers():
    for kind in (np.int8, np.uint8, np.int64):
        labels = np.array([0, 19, 19], kind)
        counts = counted(labels, np.array([1, 19, 0]), 20)
        assert counts.sum() == 3 and counts[19, 19] == counts[19, 0] == counts[0, 1] == 1


# Hostile


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(history=None), "`history` must be a History, such as `train` returns. Received: None"),
        (
            dict(history=None, part="test"),
            "`history` must be a History, such as `train` returns. Received: None",
        ),
        (dict(history=make_history()), "This run has no predictions on the validation images"),
        (dict(part="test"), "This run has no figures of the classes of a test part"),
        (dict(part="tests"), "Unknown part. Received: 'tests'. Did you mean 'test'?"),
        (dict(part=3), "Unknown part"),
        (dict(part=None), "Unknown part"),
        (dict(data="flowers"), "`data` must be a Dataset, such as `load` returns. Received: 'flowers'"),
        (dict(data=images(LABELS, seed=9)), "`data` must be what the run was validated on"),
        (dict(data=images(LABELS[:4])), "`data` must be what the run was validated on"),
    ],
)
@pytest.mark.parametrize("function", [class_report, plot_class_report])
def test_what_there_is_nothing_to_report_on(function, arguments, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        function(**{"history": predicted(images(LABELS)), **arguments})


def with_test(**changes):
    """A run with a test part whose record is changed."""
    history = predicted(images(LABELS))
    history.test = judged(np.float32(SAID), LABELS) | changes
    return history


@pytest.mark.parametrize("data", ["flowers", images(LABELS), images(LABELS, (*NAMES, "dill"))])
def test_other_data_than_the_run_was_tested_on(data):
    with pytest.raises(InputError, match="`data` must be"):
        class_report(with_test(), data, part="test")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (dict(confusion=[[1]]), "`confusion` must have a row and a column for each of 3 classes"),
        (dict(confusion=[[1, 0, 1], [0, 1, 0]]), "`confusion` must have a row and a column for each of 3"),
        (
            dict(confusion=[[1, 0, 1], [0, 1], [0, 0, 3]]),
            "`confusion` must have a row and a column for each of 3",
        ),
        (
            dict(confusion=[[2, 0, 0], [0, 2, 0], [0, 0, 2]]),
            "`confusion` counts 6 images, 6 of them right, and must",
        ),
        (dict(confusion=[[0] * 3] * 3), "`confusion` counts 0 images"),
        (dict(confusion=[[1, -1, 2], [1, 1, 0], [1, 1, 0]]), "`confusion` is"),
        (dict(confusion=[["1"] * 3] * 3), "`confusion` is"),
        (dict(confusion=3), "`confusion` is 3"),
        (dict(auc=[0.5]), "`auc` has 1 numbers, and must have one for each of 3 classes"),
        (dict(auc=[0.5, 1.5, 0.5]), "`auc` is"),
        (dict(auc_interval=[0.5]), "`auc_interval` is [0.5], and must be a lower and an upper end"),
        (dict(auc_interval=[0.9, 0.1]), "`auc_interval` is [0.9, 0.1], and must be"),
        (dict(balanced_accuracy=float("nan")), "`balanced_accuracy` is nan"),
        (dict(macro_f1=2), "`macro_f1` is 2"),
    ],
)
def test_a_record_whose_test_part_does_not_hold_together_is_refused(changes, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        History.from_lines(with_test(**changes).to_lines(), "theirs")


@pytest.mark.parametrize("changes", [dict(auc=None), dict(auc_interval=None), dict(auc=[None] * 3)])
def test_a_record_that_says_less_of_its_test_part_is_shown_as_far_as_it_goes(changes):
    history = History.from_lines(with_test(**changes).to_lines(), "theirs")
    report = class_report(history, part="test")
    assert report.classes["recall"].tolist() == [0.5, 0.5, 0.0]
    assert run_card(history, "theirs").count("vgglab-classes") > 2


def test_a_record_of_before_has_a_report_of_validation_and_none_of_test():
    history = with_test()
    history.test = {name: history.test[name] for name in ("accuracy", "loss", "calibration_error", "images")}
    history = History.from_lines(history.to_lines(), "older")
    assert [report.part for report in reports_of(history)] == ["validation"]
    assert "balanced" not in history.tested()
    assert reports_of(make_history()) == []


@pytest.mark.parametrize("count", ["[3, 3]", "[0, 0, 0]", '["a", 2, 2]', "[-1, 4, 3]"])
def test_counts_of_validation_that_are_none_are_refused(count):
    text = (
        predicted(images(LABELS))
        .to_lines()
        .replace('"validation_counts": [2, 2, 2]', f'"validation_counts": {count}')
    )
    assert count in text
    with pytest.raises(InputError, match="`validation_counts` is"):
        History.from_lines(text, "theirs")


# Where it is seen

HOSTILE = '<img src=x onerror="alert(1)">$\\frac{1}{2}$ 花'


def hostile():
    history = predicted(images(LABELS, (HOSTILE, "b" * 300, "c")))
    history.test = judged(np.float32(SAID), LABELS)
    return history


@pytest.mark.filterwarnings("ignore:No installed font")
def test_names_of_any_kind_are_text_wherever_they_stand():
    history = hostile()
    for page in (run_card(history, "x"), static(history, None)):
        assert "<img src=x" not in page and page.count("&lt;img src=x") > 2
    assert history_of_card(run_card(history, "x"), "x").to_lines() == history.to_lines()
    ax = plot_class_report(history)
    assert f"{HOSTILE} (2)" in [each.get_text() for each in ax.get_yticklabels()]
    ax.get_figure().savefig(io.BytesIO())


def printed(history, width=80):
    said = io.StringIO()
    print_classes(Console(file=said, width=width, markup=False, emoji=False, soft_wrap=True), history)
    return said.getvalue()


def test_the_terminal_has_a_table_for_each_part():
    text = printed(with_test())
    assert text.index("validation by class") < text.index("test by class")
    rows = [line.split() for line in text.splitlines() if line.strip().startswith("aster")]
    assert [row[:3] for row in rows] == [["aster", "2", "50"]] * 2
    assert "Validation, 6 images, with 95% intervals" in text and "Chance is 33.3%" in text
    assert max(len(line) for line in text.splitlines() if line.startswith(" ")) <= 80
    assert printed(make_history()) == ""


def test_the_terminal_leaves_out_no_class_in_silence():
    labels, said = drawn(40, n=900)
    history = predicted(images(labels, [f"class {number:02}" for number in range(40)]), said)
    text = printed(history)
    assert len(re.findall(r"^ class \d\d", text, re.MULTILINE)) == 10
    assert "The 10 classes of least recall are shown; 30 more are not." in text
    assert "b" * 300 not in printed(hostile()) and "bbb…bbb" in printed(hostile())


def test_the_dashboard_has_a_view_of_the_classes():
    page = static(predicted(images(LABELS)), None)
    table = re.search('<table class="vgglab-classes">.*?</table>', page, re.DOTALL)[0]
    rows = [re.sub("<[^>]*>", " ", row).split() for row in table.split("</tr>")]
    assert rows[0] == ["class", "images", "recall", "%", "precision", "%", "F1", "%", "AUC", "%"]
    assert [row[:4] for row in rows[1:4]] == [
        ["aster", "2", "50", "9-91"],
        ["bell", "2", "50", "9-91"],
        ["clover", "2", "0", "0-66"],
    ]


def test_the_chart_draws_every_figure_with_its_interval_and_the_worst_on_top():
    history = predicted(images(LABELS))
    report, ax = class_report(history), plot_class_report(history)
    assert [each.get_text() for each in ax.get_yticklabels()] == ["clover (2)", "aster (2)", "bell (2)"]
    order = [2, 0, 1]
    for name, container in zip(("recall", "precision"), ax.containers):
        marks, _, (bars,) = container
        assert marks.get_xdata() == pytest.approx(report.classes[name].to_numpy()[order])
        ends = np.array([segment[:, 0] for segment in bars.get_segments()])
        np.testing.assert_allclose(ends, report.classes[[f"{name}_low", f"{name}_high"]].to_numpy()[order])
    assert ax.get_ylim() == (2.5, -0.5)


def test_the_chart_of_many_classes_and_of_none_given():
    labels, said = drawn(40, n=900)
    said[:, :3] = 0
    history = predicted(images(labels, [f"class {number}" for number in range(40)]), said)
    ax = plot_class_report(history)
    assert len(ax.get_yticks()) == 30 and "30 classes of least recall of 40" in ax.get_xlabel()
    assert sum(each.get_text() == "never given: no precision" for each in ax.texts) == 3


# Baselines


def with_counts(counts, **data):
    history = make_history()
    history.data = (
        dict(classes=[f"c{number}" for number in range(len(counts))], validation_counts=counts) | data
    )
    return history


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (dict(classes=["a", "b"], validation_counts=[5, 5]), ["chance 50.0%"]),
        (dict(classes=["a", "b"], validation_counts=[9, 1]), ["chance 50.0%", "most frequent class 90.0%"]),
        (
            dict(classes=["a", "b", "c"], validation_counts=[0, 4, 0]),
            ["chance 33.3%", "most frequent class 100.0%"],
        ),
        (dict(classes=["a", "b"]), ["chance 50.0%"]),  # an older record
        (dict(classes=["a", "b"], train_counts=[9, 1]), ["chance 50.0%"]),  # validation may be otherwise
        (dict(classes=["a"], validation_counts=[5]), []),
        (dict(), []),
    ],
)
def test_baselines_are_those_that_are_known(data, lines):
    history = make_history()
    history.data = data
    assert [str(each) for each in baselines([history])] == lines
    assert baselines([history, with_counts([1, 2, 3, 4])]) == []


def test_words_of_close_lines_stand_together():
    close = baselines([with_counts([6, 5])])
    assert grouped(close, least=0.1) == [(6 / 11, "most frequent class 54.5%, chance 50.0%")]
    assert [words for _, words in grouped(close, least=0.01)] == ["chance 50.0%", "most frequent class 54.5%"]


def test_the_record_counts_the_images_of_validation():
    data = images([0, 0, 0, 1, 2])
    assert data.describe()["validation_counts"] == [3, 1, 1]
    other = dataclasses.replace(data, train=data.train.part(np.array([0])))
    assert isinstance(other, Dataset) and other.describe()["validation_counts"] == [3, 1, 1]


def test_a_run_of_before_goes_on_though_its_record_does_not_count_validation():
    now = predicted(images(LABELS))
    before = dataclasses.replace(
        now, data={name: now.data[name] for name in now.data if name != "validation_counts"}
    )
    check_same(before, now, "here")
    other = dataclasses.replace(now, data=now.data | dict(validation_counts=[1, 2, 3]))
    with pytest.raises(
        InputError, match=re.escape("`validation_counts` of the images was [2, 2, 2] and is [1, 2, 3]")
    ):
        check_same(now, other, "here")
