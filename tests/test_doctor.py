"""The doctor's parts, against formulas, scikit-learn and sets that were made by hand."""

import dataclasses

import numpy as np
import pytest
from PIL import Image, ImageOps
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vgglab import Dashboard, Experiment, check_images, draw_blossoms, load, plot_findings
from vgglab.cli import main
from vgglab.datasets import Dataset, Split
from vgglab.doctor.alignment import agreement
from vgglab.doctor.copies import LEAST_AGREEMENT, clusters, findings_of_copies, near_copies
from vgglab.doctor.effect import Effects
from vgglab.doctor.exact import exact_copies
from vgglab.doctor.facts import facts_of
from vgglab.doctor.findings import Finding, Findings
from vgglab.doctor.images import findings_of_images, tones_of
from vgglab.doctor.labels import confident_joint, probable_errors
from vgglab.doctor.neighbours import nearest_by_features
from vgglab.doctor.pictures import Pictures
from vgglab.doctor.probe import out_of_fold
from vgglab.doctor.quick import quick_check
from vgglab.doctor.resample import turned, window
from vgglab.doctor.shortcuts import told_by
from vgglab.doctor.sides import findings_of_classes, findings_of_sides
from vgglab.doctor.sight import Sight, what_is_not_seen
from vgglab.errors import InputError
from vgglab.panel.doctor import Doctor
from vgglab.panel.findings import findings_html, write_page


def noise(count, size=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def made(train, validation=None, train_labels=None, validation_labels=None, **fields):
    """A data set of these images; labels are 0 and 1 in turn where none are given."""
    validation = noise(4, train.shape[1], seed=99) if validation is None else validation
    labels = [
        np.arange(len(images)) % 2 if given is None else np.asarray(given)
        for images, given in ((train, train_labels), (validation, validation_labels))
    ]
    parts = [
        Split(images, each, paths=fields.get(f"{part}_paths"), groups=fields.get(f"{part}_groups"))
        for part, images, each in zip(("train", "validation"), (train, validation), labels)
    ]
    return Dataset("made", ("one", "two"), *parts)


def names(*texts):
    return np.array(texts, dtype=object)


@pytest.fixture(scope="module")
def flowers():
    return draw_blossoms(train_images=12, validation_images=3, seed=5)


@pytest.fixture(scope="module")
def grey(flowers):
    return Pictures(flowers).grey


class TestSight:
    def test_a_window_resizes_as_pillow_does(self, grey):
        by_hand = window(64, 20) @ grey[0].astype(np.float32) @ window(64, 20).T
        by_pillow = np.asarray(Image.fromarray(grey[0]).resize((20, 20), Image.Resampling.BILINEAR), float)
        assert np.abs(by_hand - by_pillow).max() < 2

    @pytest.mark.parametrize("way", range(8))
    def test_a_turned_picture_is_pillows(self, grey, way):
        image = Image.fromarray(grey[0])
        image = ImageOps.mirror(image) if way % 2 else image
        assert np.array_equal(turned(grey[:1], way)[0], np.asarray(image.rotate(90 * (way // 2))))

    def test_the_nearest_are_those_of_all_products(self, grey):
        sight = Sight(grey)
        products = np.max([view @ sight.described[0].T for view in sight.described], axis=0)
        np.fill_diagonal(products, -1)
        best = products.argmax(axis=1)
        expected = {tuple(sorted((row, int(column)))) for row, column in enumerate(best)}
        assert set(map(tuple, sight.nearest(1, -1).tolist())) == expected

    def test_more_pictures_are_seen_in_fewer_views(self):
        few, many = Sight(noise(4)[..., 0]), Sight(np.zeros((20_000, 8, 8), np.uint8))
        assert len(few.views) > len(many.views) >= 2

    def test_it_is_said_that_copies_may_be_missed(self, monkeypatch):
        assert what_is_not_seen(6_000) == "" and "27 of 62 views" in what_is_not_seen(10_000)
        data = draw_blossoms(train_images=2, validation_images=1, image_size=32)
        said = "only 2 of 62 views"
        assert said not in check_images(data).summary
        monkeypatch.setattr("vgglab.doctor.sight.MOST_PRODUCTS", 1)
        assert said in check_images(data).summary

    def test_the_nearest_by_features_are_scikit_learns(self):
        features = np.random.default_rng(0).normal(size=(60, 7)).astype(np.float32)
        scaled = StandardScaler().fit_transform(features)
        near = (
            NearestNeighbors(n_neighbors=4, metric="cosine")
            .fit(scaled)
            .kneighbors(return_distance=False)[:, :3]
        )
        expected = {tuple(sorted((row, int(column)))) for row, line in enumerate(near) for column in line}
        assert set(map(tuple, nearest_by_features(features, 3).tolist())) == expected


def changed(image, how):
    pillow = Image.fromarray(image)
    if how == "crop":
        return np.asarray(pillow.crop((2, 5, 58, 61)).resize((64, 64), Image.Resampling.BILINEAR))
    if how == "mirror":
        return image[:, ::-1]
    if how == "rotation":
        return np.asarray(pillow.rotate(5, Image.Resampling.BILINEAR))
    return (image * 0.7).astype(np.uint8)


class TestNearCopies:
    @pytest.mark.parametrize("how", ["crop", "mirror", "rotation", "exposure"])
    def test_a_changed_picture_agrees_with_what_it_was(self, grey, how):
        both = np.concatenate([grey[:24], [changed(each, how) for each in grey[:24]]])
        agreed = agreement(Sight(both), np.stack([np.arange(24), np.arange(24, 48)], axis=1), 0.75)
        assert (agreed >= LEAST_AGREEMENT).mean() > 0.9

    def test_two_flowers_of_a_species_do_not(self, grey):
        pairs = np.array([(first, second) for first in range(12) for second in range(first)])
        assert agreement(Sight(grey), pairs, 0.0).max() < LEAST_AGREEMENT

    def test_they_are_found_among_others(self, flowers):
        images = flowers.train.images
        copies = np.stack([changed(each, how) for each, how in zip(images[::16], ["crop", "mirror"] * 3)])
        data = made(images, copies)
        features = np.random.default_rng(0).normal(size=(len(images) + len(copies), 8)).astype(np.float32)
        found = near_copies(Pictures(data), features, apart=())
        assert found == [(16 * place, len(images) + place) for place in range(len(copies))]

    def test_what_is_apart_is_left_out(self, flowers):
        data = made(flowers.train.images, flowers.train.images[:4, :, ::-1].copy())
        features = np.zeros((100, 4), np.float32)
        assert near_copies(Pictures(data), features, apart=range(99)) == []
        assert near_copies(Pictures(data), features, apart=range(4)) == []

    def test_what_hangs_together_is_one_group(self):
        assert clusters([(1, 2), (5, 4), (2, 3), (9, 1)]) == [(1, 2, 3, 9), (4, 5)]


class TestExactCopies:
    def test_kinds_and_what_may_go(self):
        train, validation = noise(12), noise(4, seed=1)
        train[2] = train[0]  # in one class
        validation[0] = train[4]  # across
        validation[1] = train[6]  # under two labels
        train[[7, 8, 9, 10]] = train[11]  # in both classes, many times
        pictures = Pictures(made(train, validation))
        found = {each.kind: each for each in findings_of_copies(pictures, exact_copies(pictures), "exact")}
        assert {kind: each.groups for kind, each in found.items()} == {
            "placeholder pictures": ((7, 8, 9, 10, 11),),
            "exact copies under different labels": ((6, 13),),
            "exact copies across the split": ((4, 12),),
            "exact copies within a part": ((0, 2),),
        }
        assert set(found["exact copies across the split"].exclude) == {4}
        assert set(found["exact copies within a part"].exclude) == {2}
        assert set(found["exact copies under different labels"].exclude) == {6, 13}

    def test_of_two_in_validation_none_is_silently_taken(self):
        validation = noise(4, seed=1)
        validation[2] = validation[0]
        pictures = Pictures(made(noise(4), validation))
        (finding,) = findings_of_copies(pictures, exact_copies(pictures), "exact")
        assert not finding.exclude and set(finding.look) == {6}

    def test_the_short_form_counts(self):
        train, validation = noise(30), noise(4, seed=1)
        validation[0], validation[1] = train[0], train[0]
        labels = [0] * 26 + [1] * 4
        one, two = quick_check(made(train, validation, labels))
        assert one.startswith(
            "1 picture is there more than once: 1 on both sides of the split, 1 under different"
        )
        assert two.startswith("'one' has 26 training images and 'two' 4.")
        assert quick_check(made(noise(8))) == []


class TestLabels:
    PROBABILITIES = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6], [0.85, 0.15]])
    LABELS = np.array([0, 0, 0, 1, 1, 1])

    def test_the_confident_joint_is_the_papers(self):
        # The thresholds are the means 0.6 and 0.55 of each label's own column.
        assert confident_joint(self.LABELS, self.PROBABILITIES).tolist() == [[2, 1], [1, 2]]

    def test_the_surest_error_comes_first(self):
        assert probable_errors(self.LABELS, self.PROBABILITIES).tolist() == [5, 2]

    def test_flipped_labels_are_found(self):
        rng = np.random.default_rng(0)
        labels = np.repeat([0, 1, 2], 60)
        features = rng.normal(size=(180, 6)) + 5 * np.eye(6)[labels]
        given, flipped = labels.copy(), [3, 70, 150]
        given[flipped] = (given[flipped] + 1) % 3
        said = out_of_fold(features, given, np.arange(180), 3)
        assert set(flipped) <= set(probable_errors(given, said).tolist())

    def test_folds_keep_a_group_together(self):
        # Each group has features of its own and labels by chance: who has seen the rest of it knows.
        rng = np.random.default_rng(0)
        groups = np.repeat(np.arange(40), 5)
        labels = np.repeat(np.arange(40) % 2, 5)
        features = np.repeat(rng.normal(size=(40, 30)), 5, axis=0)
        apart = out_of_fold(features, labels, groups, 2).argmax(axis=1) == labels
        together = out_of_fold(features, labels, np.arange(200), 2).argmax(axis=1) == labels
        assert together.mean() > 0.85 and apart.mean() < 0.75

    def test_a_class_of_one_image_has_no_folds(self):
        assert out_of_fold(np.zeros((5, 2)), np.array([0, 0, 0, 0, 1]), np.arange(5), 2) is None


class TestShortcuts:
    def test_a_number_that_is_the_class_tells_all(self):
        labels = np.arange(90) % 3
        told = told_by(labels * 100.0, labels, 3)
        assert told.accuracy == 1 and told.chance == pytest.approx(1 / 3) and told.is_above(0.5)

    def test_chance_is_inside_the_interval_of_noise(self):
        rng = np.random.default_rng(0)
        inside = [
            told.low <= told.chance <= told.high
            for told in (told_by(rng.normal(size=200), rng.integers(0, 2, 200), 2) for _ in range(60))
        ]
        assert np.mean(inside) > 0.85

    def test_unequal_classes_count_alike(self):
        labels = np.array([0] * 180 + [1] * 20)
        told = told_by(np.random.default_rng(0).normal(size=200), labels, 2)
        assert (
            told.accuracy < 0.75
        )  # always the larger one is right for 90 % of the images, and for half of the classes

    def test_words_are_told_by(self):
        labels = np.arange(60) % 2
        assert told_by(names(*np.where(labels, "PNG", "JPEG")), labels, 2).accuracy == 1

    def test_few_images_say_nothing(self):
        assert told_by(np.arange(12.0), np.arange(12) % 2, 2) is None
        assert told_by(np.ones(60), np.arange(60) % 2, 2) is None


class TestSides:
    def test_known_groups_on_both_sides(self):
        groups = dict(train_groups=names("a", "a", "b", "b"), validation_groups=names("b", "c", "c", "d"))
        (finding,) = findings_of_sides(Pictures(made(noise(4), **groups)))
        assert finding.groups == ((2, 3, 4),) and set(finding.exclude) == {2, 3}

    def test_names_are_a_question(self):
        train = names(*(f"made/x/patient{each // 2}_{each}.png" for each in range(12)))
        validation = names(
            "made/x/patient3_90.png", "made/x/patient77_1.png", "made/x/patient77_2.png", "made/x/k.png"
        )
        data = made(noise(12), train_paths=train, validation_paths=validation)
        (finding,) = findings_of_sides(Pictures(data))
        assert (
            finding.kind == "a question on names" and not finding.exclude and finding.groups == ((6, 7, 12),)
        )

    def test_plain_numbers_are_no_question(self):
        train = names(*(f"made/x/IMG_{each:04d}.png" for each in range(12)))
        validation = names(*(f"made/x/IMG_{each:04d}.png" for each in range(50, 54)))
        assert (
            findings_of_sides(Pictures(made(noise(12), train_paths=train, validation_paths=validation))) == []
        )

    def test_classes_of_like_size_are_no_finding(self):
        assert findings_of_classes(Pictures(made(noise(10)))) == []


def test_single_images_that_show_nothing(tmp_path):
    train = noise(40, 64)
    train[1], train[2] = 128, train[2] // 16
    train[4] = np.linspace(0, 255, 64)[None, :, None]  # a slope without an edge
    paths = [tmp_path / f"{number}.png" for number in range(40)]
    for number, (path, image) in enumerate(zip(paths, train)):
        size = {5: (20, 20), 6: (64, 260)}.get(number, (64, 64))
        Image.fromarray(image).resize(size).save(path)
    paths[7].unlink()  # gone since it was read: nothing is known of its size
    pictures = Pictures(made(train, train_paths=names(*map(str, paths))))
    found = {
        each.kind: each.images
        for each in findings_of_images(pictures, tones_of(pictures), facts_of(pictures.paths))
    }
    assert found == {
        "blank images": [1],
        "dark images": [2],
        "blurred images": [4],
        "tiny images": [5],
        "odd shapes": [6],
    }


def test_sizes_are_upright_as_the_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 10)).save(tmp_path / "a.jpg", exif=exif)
    facts = facts_of(names(str(tmp_path / "a.jpg"), None))
    assert (facts.width[0], facts.height[0], facts.format[0]) == (10, 30, "JPEG") and np.isnan(facts.width[1])


class TestEffects:
    def effects(self):
        rng = np.random.default_rng(0)
        data = made(noise(60), noise(40, seed=1))
        labels = np.concatenate([data.train.labels, data.validation.labels])
        return Effects(Pictures(data), rng.normal(size=(100, 5)) + labels[:, None]), labels

    def test_the_probe_is_scikit_learns(self):
        effects, labels = self.effects()
        plain = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
        plain.fit(effects.features[:60], labels[:60])
        assert np.array_equal(effects.right, plain.predict(effects.features[60:]) == labels[60:])

    def test_the_sentences_have_its_figures(self):
        effects, _ = self.effects()
        copies = Finding("near copies across the split", "…", ((0, 60), (1, 61)), exclude={0: "", 1: ""})
        (measured,) = effects.measured([copies])
        left = 100 * effects.right[2:].mean()
        assert f"without them its accuracy is {left:.1f} %" in measured.effect
        assert "Trained without 2 training images" in measured.effect


def test_the_list_names_files_that_can_be_named():
    paths = names(
        "made/x/a.png",
        "made/x/b #1.png",
        "made/#x/c.png",
        "made/x/d\n.png",
        "/other/e.png",
        "made/x/f.png",
    )
    data = made(noise(6), train_paths=paths)
    finding = Finding("blank images", "…", exclude=dict.fromkeys(range(5), "why"), look={5: "perhaps"})
    text = Findings(Pictures(data), (finding,)).exclusions()
    assert text.splitlines()[2:] == [
        "x/a.png  # why",
        "# why",
        "x/b #1.png",
        "./#x/c.png  # why",
        "# 'x/d\\\\x0a.png' cannot be named in a list: why",
        "/other/e.png  # why",
        "# x/f.png  # perhaps",
    ]


def test_a_page_shows_names_as_they_are(tmp_path):
    data = dataclasses.replace(made(noise(4)), class_names=("<script>", "b & c"))
    findings = Findings(Pictures(data), (Finding("blank images", "<b>", ((0,),), ("<i>",)),))
    write_page(findings, tmp_path / "page.html")
    for text in ((tmp_path / "page.html").read_text(), findings_html(findings)):
        assert (
            "<script>" not in text and "&lt;script&gt;" in text and "<i>" not in text and "http" not in text
        )


def write_set(folder, images=16):
    data = draw_blossoms(train_images=images, validation_images=4, seed=3)
    for part, split in (("train", data.train), ("validation", data.validation)):
        for number, (image, label) in enumerate(zip(split.images, split.labels)):
            place = folder / part / data.class_names[label]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{number}.png")
    return data


@pytest.mark.slow
def test_a_folder_with_faults(tmp_path, capsys):
    folder = tmp_path / "set"
    data = write_set(folder)
    first, second = (folder / "train" / name for name in data.class_names[:2])
    Image.fromarray(data.train.images[0][:, ::-1]).save(folder / "validation" / first.name / "mirrored.png")
    Image.fromarray(data.train.images[1]).save(second / "conflict.png")
    listed, page = tmp_path / "out.txt", tmp_path / "page.html"
    assert main(["check", str(folder), "--write-exclude", str(listed), "--html", str(page)]) == 1
    said = capsys.readouterr().out
    assert (
        "Near copies across the split: 1 group" in said
        and "Exact copies under different labels: 1 group" in said
    )
    assert f"mirrored.png: {first.name}" in said
    lines = listed.read_text().splitlines()
    assert f"train/{first.name}/0.png  # a near copy of validation/{first.name}/mirrored.png" in lines
    assert any(line.startswith(f"train/{second.name}/conflict.png  #") for line in lines)
    assert "data:image/png" in page.read_text()
    findings = check_images(load(str(folder)))
    assert set(findings.table().columns) >= {"kind", "file", "part", "class"}
    assert len(plot_findings(findings, "near copies across the split").images) == 2
    assert len(plot_findings(findings).images) >= 4
    with pytest.raises(InputError, match="`kind` must be one of what was found: exact copies under"):
        plot_findings(findings, "near copis")


@pytest.mark.slow
def test_a_folder_without_faults(tmp_path, capsys):
    write_set(tmp_path / "set", images=12)
    code = main(["check", str(tmp_path / "set")])
    said = capsys.readouterr().out
    assert code == ("probable label errors" in said.lower())
    assert "copies" not in said and "shortcut" not in said.lower() and "images:" not in said


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["nowhere"], "There is no folder at nowhere."),
        ([], "the following arguments are required: FOLDER"),
        (
            ["blossoms", "--html", "page.txt"],
            "`--html` must be a file whose name ends in .html. Received: page.txt.",
        ),
        (["blossoms", "--html", "no/where.html"], "`--html` must be a file in a folder that exists."),
        (["blossoms", "--write-exclude", "."], "`--write-exclude` must be a file in a folder that exists."),
        (
            ["blossoms", "--html", "a.html", "--write-exclude", "a.html"],
            "must be two files. Received twice: a.html.",
        ),
        (["blossoms", "--image-size", "5"], "`image_size` must be"),
        (["blossoms", "--fit", "stretch"], "Unknown fit. Received: 'stretch'."),
        (["blossoms", "--backbone", "vgg61"], "Unknown backbone. Received: 'vgg61'."),
        (["blossoms", "--weights", "nowhere.h5"], "There is no weights file at nowhere.h5."),
        (["blossoms", "--weights", "imagenet"], "`weights='imagenet'` exists for backbone 'vgg16' only."),
        (["blossoms", "--htlm", "a.html"], "unrecognized arguments: --htlm"),
        (["blossoms", "other"], "unrecognized arguments: other"),
        (["blossoms", "--seed", "-1"], "`seed` must be"),
    ],
)
def test_what_cannot_be_checked_has_its_sentence(given, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["check", *given])
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr().err
    assert code == 2 and sentence in said and "Traceback" not in said and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: check_images("flowers"), "`data` must be a Dataset"),
        (
            lambda: check_images(made(noise(4, 32)), "vgg16"),
            "`experiment` must be an Experiment. Received: 'vgg16'.",
        ),
        (
            lambda: check_images(made(noise(4, 32)), Experiment(weights="no.h5")),
            "There is no weights file at no.h5.",
        ),
        (lambda: plot_findings("none"), "`findings` must be what `check_images` returned."),
        (
            lambda: plot_findings(Findings(Pictures(made(noise(4))), ()), most=0),
            "`most` must be a whole number",
        ),
        (
            lambda: plot_findings(Findings(Pictures(made(noise(4))), ()), "x"),
            "what was found: nothing. Received: 'x'.",
        ),
    ],
)
def test_what_is_none_of_it_has_its_sentence(call, sentence):
    with pytest.raises(InputError) as raised:
        call()
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    "train",
    [
        noise(2, 32),
        np.zeros((6, 32, 32, 3), np.uint8),
        np.full((3, 32, 32, 3), 255, np.uint8),
        noise(1, 32).repeat(8, axis=0),
    ],
    ids=["two images", "all black", "all white", "one picture"],
)
def test_a_set_that_is_hardly_one_is_looked_at(train):
    findings = check_images(made(train), Experiment(backbone="vgg16-micro", weights=None, image_size=32))
    assert str(findings).startswith(findings.summary) and findings.exclusions()


class TestOnThePage:
    def look(self, data, experiment):
        doctor = Doctor(lambda: (data, experiment))
        doctor.button.click()
        doctor.join(120)
        assert not doctor.button.disabled
        return doctor

    def test_the_button_shows_what_was_found(self):
        train, validation = noise(12, 32), noise(4, 32, seed=1)
        validation[0] = train[0]
        doctor = self.look(
            made(train, validation), Experiment(backbone="vgg16-micro", weights=None, image_size=32)
        )
        assert "Exact copies across the split" in doctor.page.value and "data:image/png" in doctor.page.value
        assert [each.kind for each in doctor.findings][:1] == ["exact copies across the split"]

    def test_what_cannot_be_looked_at_has_its_sentence(self):
        doctor = self.look(made(noise(4, 32)), Experiment(weights="nowhere.h5"))
        assert "There is no weights file at nowhere.h5." in doctor.page.value and doctor.findings is None

    def test_it_is_a_tab_of_the_dashboard(self, tiny):
        dashboard = Dashboard(tiny)
        place = dashboard.tabs.titles.index("Images")
        assert dashboard.tabs.children[place] is dashboard.doctor
        dashboard.close()


@pytest.mark.slow
def test_a_training_on_a_folder_says_what_is_there_twice(tmp_path, capsys):
    data = write_set(tmp_path / "set", images=4)
    Image.fromarray(data.train.images[0]).save(tmp_path / "set/validation" / data.class_names[0] / "copy.png")
    settings = [
        "--image-size",
        "32",
        "--backbone",
        "vgg16-micro",
        "--weights",
        "none",
        "--unfreeze",
        "0",
        "--epochs",
        "1",
    ]
    assert main(["train", "--data", str(tmp_path / "set"), *settings]) == 0
    assert (
        "Warning: 1 picture is there more than once: 1 on both sides of the split, 0 under"
        in capsys.readouterr().out
    )
