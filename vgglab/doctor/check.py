"""`check_images`: everything that the doctor looks for in a data set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vgglab.datasets.dataset import Dataset
from vgglab.doctor.copies import clusters, findings_of_copies, near_copies
from vgglab.doctor.exact import exact_copies
from vgglab.doctor.facts import facts_of
from vgglab.doctor.findings import Finding, Findings
from vgglab.doctor.images import Tones, blank, findings_of_images, tones_of
from vgglab.doctor.pictures import Pictures
from vgglab.doctor.shortcuts import findings_of_shortcuts
from vgglab.doctor.sides import findings_of_classes, findings_of_sides
from vgglab.doctor.sight import what_is_not_seen
from vgglab.errors import InputError, shown
from vgglab.experiment import Experiment
from vgglab.weights import find_weights


def check_images(
    data: Dataset, experiment: Experiment | None = None, say: Callable[[str], object] | None = None
) -> Findings:
    """Look for what makes an accuracy misleading: copies, wrong labels, shortcuts and blank images.

    `experiment` names the backbone and the weights whose features are compared, by default the pretrained vgg16-mini;
    `say` is told what is being done. Nothing is changed. `InputError` for what is no Dataset, or missing weights.
    """
    if not isinstance(data, Dataset):
        raise InputError(f"`data` must be a Dataset, such as `load` returns. Received: {shown(data)}.")
    if experiment is not None and not isinstance(experiment, Experiment):
        raise InputError(f"`experiment` must be an Experiment. Received: {shown(experiment)}.")
    find_weights(experiment or Experiment())
    say = say or (lambda sentence: None)
    pictures = Pictures(data)
    say("Reads sizes and tones.")
    tones, facts = tones_of(pictures), facts_of(pictures.paths)
    exact = exact_copies(pictures)
    say("Runs the frozen base.")
    # Here, not at the top: a second or more, with TensorFlow, that who only trains need not wait for.
    from vgglab.doctor.effect import Effects
    from vgglab.doctor.features import pooled_features

    features = pooled_features(pictures, experiment)
    say("Looks for copies.")
    copies = _copies(pictures, features, exact, tones)
    say("Looks at labels.")
    found = [
        *copies,
        *findings_of_sides(pictures),
        *_labels(pictures, features, copies),
        *findings_of_shortcuts(pictures, tones, facts),
        *findings_of_classes(pictures),
        *findings_of_images(pictures, tones, facts),
    ]
    say("Measures what that does to the accuracy.")
    effects = Effects(pictures, features)
    said = filter(None, [effects.sentence, what_is_not_seen(len(pictures))])
    return Findings(pictures, effects.measured(found), " ".join(said))


def _copies(
    pictures: Pictures, features: np.ndarray, exact: list[tuple[int, ...]], tones: Tones
) -> list[Finding]:
    """Findings of exact copies, and of near ones of what is left: of exact copies one, and nothing blank."""
    nothing = set(blank(tones).tolist())
    exact = [
        group for group in exact if group[0] not in nothing or len(set(pictures.labels[list(group)])) > 1
    ]
    near = near_copies(pictures, features, apart=_further(pictures, exact) | nothing)
    told = findings_of_copies(pictures, exact, "exact") + findings_of_copies(pictures, clusters(near), "near")
    order = (
        "placeholder",
        "exact copies under",
        "near copies under",
        "exact copies across",
        "near copies across",
    )
    return sorted(told, key=lambda each: [not each.kind.startswith(start) for start in order])


def _further(pictures: Pictures, exact: list[tuple[int, ...]]) -> set[int]:
    """Of each group of exact copies all but one of every part, so that near copies across the split are seen."""
    further: set[int] = set()
    for group in exact:
        first = {pictures.part[image]: image for image in reversed(group)}
        further |= set(group) - {first[min(first)]}
    return further


def _labels(pictures: Pictures, features: np.ndarray, copies: list[Finding]) -> list[Finding]:
    from vgglab.doctor.labels import findings_of_labels
    from vgglab.doctor.probe import out_of_fold

    grouped = [group for finding in copies for group in finding.groups]
    together = np.array(
        [str(image) if name is None else f"group {name}" for image, name in enumerate(pictures.groups)]
    )
    for group in grouped:
        together[list(group)] = together[group[0]]
    classes = len(pictures.data.class_names)
    probabilities = out_of_fold(features, pictures.labels, together, classes)
    if probabilities is None:
        return []
    conflicts = {
        image
        for each in copies
        if "labels" in each.kind or "placeholder" in each.kind
        for group in each.groups
        for image in group
    }
    return findings_of_labels(pictures, probabilities, conflicts)
