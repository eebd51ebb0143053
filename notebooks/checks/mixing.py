"""The checks of lesson 06: mixing by hand, CutMix's label, the logged accuracy, the calibration error."""

from __future__ import annotations

import numpy as np
from scipy import stats

from vgglab.measures.evaluation import calibration_error


def _blend(answer, images, labels, share) -> str | None:
    image, label = (np.asarray(part, dtype=float) for part in answer)
    if image.shape != np.shape(images[0]) or label.shape != np.shape(labels[0]):
        return "hand over a pair: an image of the same size, then a label of the same length."
    right_image, right_label = _mixed(images, share), _mixed(labels, share)
    if _near(image, right_image) and _near(label, right_label):
        return None
    if _near(image, _mixed(images, 1 - share)):
        return "the other way round: the share belongs to the first image."
    if _near(image, _mixed(images, 0.5)):
        return "that is the plain mean; the share is not a half."
    if not _near(image, right_image):
        return "look at the image again: the share times the first, plus the rest times the second."
    if _near(label, _mixed(labels, 1 - share)):
        return "the image is right, and the label is the other way round."
    if any(_near(label, each) for each in labels):
        return "the image is right. The label is mixed as well."
    return "the image is right. Mix the label with the same formula."


def _mixed(pair, share) -> np.ndarray:
    first, second = (np.asarray(each, dtype=float) for each in pair)
    return share * first + (1 - share) * second


def _pasted(answer, box, size) -> str | None:
    answer = float(answer)
    top, left, bottom, right = np.clip(box, 0, size)
    pasted = (bottom - top) * (right - left) / size**2
    if _near(answer, 1 - pasted):
        return None
    whole = (box[2] - box[0]) * (box[3] - box[1]) / size**2
    if _near(answer, pasted):
        return "that is the share of the other image."
    if _near(answer, 1 - whole) or _near(answer, whole):
        return "part of the box lies outside the image and is not pasted."
    if answer > 1:
        return "a share lies between 0 and 1."
    return "count the pixels that are pasted, and divide by all pixels."


def _logged(answer, alpha, sure_from) -> str | None:
    answer = float(answer)
    share = stats.beta(alpha, alpha)
    close = float(share.cdf(sure_from) - share.cdf(1 - sure_from))
    one_side = float(share.sf(sure_from))
    if _near(answer, 1 - close / 2):
        return None
    if _near(answer, 1):
        return "that is the accuracy on clean images. What is counted here are blends."
    if _near(answer, 1 - close):
        return "some of the coin tosses come out right, too."
    if _near(answer, one_side + (1 - one_side) / 2) or _near(answer, one_side):
        return "the larger share may also be that of the second image: look at both ends of λ."
    if _near(answer / 100, 1 - close / 2):
        return "give it as a fraction between 0 and 1."
    return "how often is the larger share clear, and how often is the network right when it is, and when not?"


def _calibration(answer, confidence, right) -> str | None:
    answer, confidence, right = float(answer), np.asarray(confidence), np.asarray(right)
    # Two classes: the one that is named, and the other.
    wanted = calibration_error(np.column_stack([confidence, 1 - confidence]), 1 - right)
    if _near(answer, wanted):
        return None
    bins = (10 * confidence).astype(int)
    gaps = [abs(confidence[bins == each].mean() - right[bins == each].mean()) for each in np.unique(bins)]
    if _near(abs(answer), abs(float(confidence.mean() - right.mean()))):
        return "over all images, too sure and too modest cancel out. Take the distance in each bin first."
    if _near(answer, float(np.mean(gaps))):
        return "a bin counts by how many images it holds."
    if _near(answer, float(np.mean(np.abs(confidence - right)))):
        return "that is the distance of each image; first take the means in each bin."
    if _near(answer, float(np.max(gaps))):
        return "that is the worst bin. Take the mean over the bins, by their images."
    if _near(answer / 100, wanted):
        return "give it as a fraction between 0 and 1."
    return "for each bin: mean confidence, share of right answers, their distance; then the mean by images."


def _near(value, right) -> bool:
    return bool(np.allclose(value, right, rtol=0, atol=2e-3))


CHECKS = {"06.1": _blend, "06.2": _pasted, "06.3": _logged, "06.4": _calibration}
