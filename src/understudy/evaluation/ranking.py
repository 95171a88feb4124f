"""How well scores rank the images of a class above all others. Scikit-learn is the oracle."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def area_under_curve(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float | None:
    """The area under the ROC curve, by ranks (Mann and Whitney 1947).

    It is the chance that an image of the class scores above another one, of equal scores half.

    Args:
        scores: [N], rising with the probability of the class.
        truth: [N], which images are of the class.

    Returns:
        From 0 to 1; None where all images are of the class, or none is.
    """
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return None
    above = float(rankdata(scores)[truth].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)
