"""The probe: logistic regression on the frozen base's pooled features, which judges in seconds what training would."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

FOLDS = 5
STRENGTH = 0.1  # the inverse of the penalty on standardised features
STEPS = 1000


def fitted(features: np.ndarray, labels: np.ndarray) -> Pipeline:
    """A probe that was shown these features (n, width) and labels (n,) of two classes at least."""
    probe = make_pipeline(
        StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=STEPS, tol=1e-5, random_state=0)
    )
    # The products are small: a library's threads would wait for each other most of the time.
    with warnings.catch_warnings(), threadpool_limits(1):
        # Nearly converged is good enough for a judge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return probe.fit(features, labels)


def out_of_fold(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, classes: int
) -> np.ndarray | None:
    """Probabilities (n, classes) of each image from a probe that was shown neither it nor any other of its group.

    Five folds with the classes in equal shares; None where a class has fewer images or groups than it takes for two.
    """
    least = min(
        (len(np.unique(groups[labels == each])) for each in range(classes) if (labels == each).any()),
        default=0,
    )
    if least < 2 or len(np.unique(labels)) < 2:
        return None
    probabilities = np.zeros((len(labels), classes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer images than folds
        folds = StratifiedGroupKFold(
            min(FOLDS, least) if least < FOLDS else FOLDS, shuffle=True, random_state=0
        )
        for shown, asked in folds.split(features, labels, groups):
            probe = fitted(features[shown], labels[shown])
            probabilities[np.ix_(asked, probe.classes_)] = probe.predict_proba(features[asked])
    return probabilities
