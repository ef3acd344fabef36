"""What a model says of passages that it was not trained on: cross-validation over whole groups."""

from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from training.metrics import Array, Labels

FOLDS = 5


def out_of_fold(model: Any, features: Any, target: Labels, numbers: Labels) -> Array | None:
    """Return the probability of each class, shape (rows, classes), in the order of the classes.

    A row's group (see `groups`) is never trained on for it. None if there is but one class, or one
    that stands in fewer groups than there are folds.

    Args:
        model: an unfitted classifier of scikit-learn.
        features: matrix of (rows, features).
        target: class of each row.
        numbers: group of each row.
    """
    classes = np.unique(target)
    rarest = min((len(np.unique(numbers[target == c])) for c in classes), default=0)
    if len(classes) < 2 or rarest < FOLDS:
        return None
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    found: Array = cross_val_predict(
        model, features, target, groups=numbers, cv=folds, method="predict_proba"
    )
    return found
