"""An experiment as a line of text, there and back; and text that is none."""

import random
import string

import pytest

import vgglab
from vgglab.errors import InputError
from vgglab.experiment import DEFAULTS, FIELDS, Experiment, in_phases
from vgglab.share.link import LONGEST, code_of, experiment_of, shared_experiment
from vgglab.toggles import AUGMENTATIONS, Choice, Number, Strengths

SAFE = set(string.ascii_letters + string.digits + "-._~%/:,=&")  # RFC 3986: what a query may have as it is


def drawn(toggle, rng):
    """A value that a field may have, from all of its range."""
    if toggle.optional and rng.random() < 0.2:
        return None
    if isinstance(toggle, Choice):
        return rng.choice(toggle.options)
    if isinstance(toggle, Strengths):
        rules = {name: rule for name, rule in AUGMENTATIONS.items() if rng.random() < 0.3}
        return {
            name: rng.choice([rule.default, rng.uniform(rule.low, rule.high) or rule.high, rule.high])
            for name, rule in rules.items()
        }
    if isinstance(toggle, Number):
        if toggle.whole:
            return rng.choice([toggle.low, toggle.high, rng.randint(toggle.low, toggle.high)])
        return rng.choice([toggle.low, toggle.high, rng.uniform(toggle.low, toggle.high), 1e-5])
    letters = "abc ü&=?#%:,;+/~\"'<>\\\n\t\x00\udcff花\U0001f33c"
    return "".join(rng.choice(letters) for _ in range(rng.randint(1, 12)))


def drawn_experiment(seed):
    rng = random.Random(seed)
    named = [name for name in FIELDS if rng.random() < 0.4]
    experiment = Experiment(**{name: drawn(FIELDS[name], rng) for name in named})
    for _ in range(rng.randint(0, 3)):
        free = [name for name, toggle in FIELDS.items() if not toggle.fixed and rng.random() < 0.3]
        experiment = experiment.then(**{name: drawn(FIELDS[name], rng) for name in free})
    return experiment


@pytest.mark.parametrize("seeds", [range(start, start + 100) for start in range(0, 400, 100)])
def test_an_experiment_comes_back_from_its_code_the_same(seeds):
    for seed in seeds:
        experiment = drawn_experiment(seed)
        code = code_of(experiment)
        assert experiment_of(code) == experiment, code
        assert set(code) <= SAFE, code


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_a_place_in_a_code(name):
    rng = random.Random(name)
    values = [drawn(FIELDS[name], rng) for _ in range(20)]
    for value in values:
        experiment = Experiment(**{name: value})
        is_default = experiment == Experiment()
        assert (code_of(experiment) == "") == is_default and experiment_of(code_of(experiment)) == experiment


@pytest.mark.parametrize(
    ("experiment", "code"),
    [
        (Experiment(), ""),
        (Experiment(**DEFAULTS), ""),
        (
            Experiment(unfreeze=5, l2=0.01, augment=dict(rotation=30, flip=1)).then(mixup=0.2),
            "unfreeze=5&l2=0.01&augment=flip,rotation:30&then&mixup=0.2",
        ),
        (Experiment(augment="rotation", learning_rate=1e-5), "augment=rotation&learning_rate=1e-05"),
        (
            Experiment(weights=None, patience=3).then(patience=None),
            "weights=none&patience=3&then&patience=none",
        ),
        (
            Experiment(augment="flip").then(augment=(), epochs=5).then(),
            "augment=flip&then&augment=none&epochs=5&then",
        ),
    ],
)
def test_a_code_is_what_somebody_would_write(experiment, code):
    assert code_of(experiment) == code and experiment_of(code) == experiment


@pytest.mark.parametrize(
    "text",
    [
        "l2=0.01&augment=rotation:30",
        "  l2=0.01&augment=rotation:30\n",
        "?l2=0.01&augment=rotation:30&",
        "http://127.0.0.1:8866/?token=0123abcd&l2=0.01&augment=rotation:30#top",
        "l2=0.01&augment=rotation%3A30",  # as a mail program writes it
        "augment=rotation:30&l2=1e-2",
    ],
)
def test_a_code_is_read_out_of_an_address_too(text):
    assert experiment_of(text) == Experiment(l2=0.01, augment=dict(rotation=30))


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("unfreze=3", r"Received: 'unfreze'\. Did you mean 'unfreeze'\?"),
        ("unfreeze=17", r"`unfreeze` must be 0 to 13\. Received: 17\."),
        ("unfreeze=3.5", "`unfreeze` must be a whole number, 0 to 13. Received: '3.5'."),
        ("unfreeze=__import__('os').getpid()", "`unfreeze` must be a whole number, 0 to 13."),
        ("unfreeze=" + "9" * 5000, "`unfreeze` must be a whole number, 0 to 13."),
        ("l2=nan", "`l2` must be 0 to 1. Received: nan."),
        ("l2=inf", "`l2` must be 0 to 1. Received: inf."),
        ("unfreeze", "`unfreeze` must have a value in a code"),
        ("l2=0.1&l2=0.2", "`l2` must stand in a code once a phase"),
        ("backbone=vgg19", "Did you mean 'vgg16'?"),
        ("augment=spin:3", "Unknown augmentation. Received: 'spin'."),
        ("augment=rotation:900", r"augmentation 'rotation' must be 0 to 180"),
        ("augment=rotation:20:30", r"augmentation 'rotation' must be 0 to 180"),
        (
            "augment=rotation,rotation",
            "`augment` must have each name once .* Received: 'rotation' more than once",
        ),
        (
            "augment=rotation:20,flip,rotation:30",
            "'rotation' more than once, in 'rotation:20,flip,rotation:30'",
        ),
        ("augment=shift:0.1,width_shift:0.2", "'width_shift' more than once"),
        ("augment=flip&then&augment=flip,%20flip", "'flip' more than once"),
        ("then&seed=1", "`seed` belongs to the whole run"),
        ("later=1", "Unknown field of an experiment. Received: 'later'."),
        ("__class__=dict", "Unknown field of an experiment. Received: '__class__'."),
        ("<script>alert(1)</script>", "Unknown field of an experiment."),
        ("dataset=%ff", "A code must be UTF-8 text. Received: 'dataset=%ff'."),
        ("dataset=", "`dataset` must be a name or a path."),
        ("l2=0.1&" * 3000, "A code may have 20,000 characters. Received: 21,000."),
        (b"l2=0.1", "A code must be text such as"),
        (None, "A code must be text such as"),
    ],
)
def test_what_is_no_code_is_refused_in_a_sentence(code, sentence):
    with pytest.raises(InputError, match=sentence) as refused:
        experiment_of(code)
    assert len(str(refused.value)) < 600 and "\n" not in str(refused.value)


def test_an_experiment_of_too_many_phases_has_no_code():
    long = in_phases([Experiment(l2=0.001 * (phase % 2)) for phase in range(2001)])
    with pytest.raises(InputError, match="An experiment of 2,001 phases is too long for a link"):
        code_of(long)
    assert len(code_of(Experiment().then(l2=0.1))) < LONGEST


@pytest.mark.parametrize(
    "code",
    [
        "dataset=/etc",
        "dataset=~/photographs",
        "dataset=..",
        "dataset=%2Fetc",
        "dataset=blossoms%00",
        "dataset=Blossoms",
        "weights=/tmp/w.h5",
        "weights=file:///tmp/w.h5",
        "weights=pretrained/../../w.h5",
        "l2=0.1&then&weights=/w.h5",
    ],
)
def test_a_page_opens_no_file_that_a_link_names(code):
    with pytest.raises(InputError, match="in a link, because a page opens no file|belongs to the whole run"):
        shared_experiment(code)


@pytest.mark.parametrize("code", ["", "weights=none", "backbone=vgg16&weights=imagenet", "dataset=blossoms"])
def test_a_page_takes_what_is_shipped(code):
    assert shared_experiment(code) == experiment_of(code)


def test_the_names_are_in_the_glossary():
    assert vgglab.code_of is code_of and vgglab.experiment_of is experiment_of
