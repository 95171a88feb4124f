"""How figures are marked that images touch which a training may have seen."""

SIGN = "†"


def told(leaked: int, images: int | None, *, most: str = "", split: str = "test") -> str:
    """The sentence that the sign refers to.

    Args:
        leaked: Images of the split that are identical to one outside it.
        images: Of the split; None where that is not known.
        most: "Up to " where it differs from model to model.
        split: Its name.
    """
    verb = "image is" if leaked == 1 else "images are"
    return (
        f"{SIGN} {most}{leaked:,} {split} {verb} identical to images outside the {split} split"
        f"{_share(leaked, images)}: every figure marked {SIGN} is likely to be too good."
    )


def told_of_seen(
    seen: int, images: int | None, who: str, *, most: str = "", split: str = "test"
) -> str:
    """The sentence where models have learned from images that they are judged by.

    Args:
        seen: Images of the split that were learned from.
        images: Of the split; None where that is not known.
        who: The models.
        most: "up to " where it differs from model to model.
        split: Its name.
    """
    noun = "image" if seen == 1 else "images"
    return (
        f"{SIGN} {who[:1].upper()}{who[1:]} learned from {most}{seen:,} {split} {noun}"
        f"{_share(seen, images)}, or from a model that did: every figure marked {SIGN} is likely "
        "to be too good."
    )


def _share(count: int, images: int | None) -> str:
    percent = 100 * count / images if images else 0.0
    written = f"{percent:.1f}" if percent >= 1 else f"{percent:.1g}"  # three of 10,000 are not 0.0
    return f" of {images:,} ({written} %)" if images else ""
