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
    percent = 100 * leaked / images if images else 0.0
    written = f"{percent:.1f}" if percent >= 1 else f"{percent:.1g}"  # three of 10,000 are not 0.0
    share = f" of {images:,} ({written} %)" if images else ""
    verb = "image is" if leaked == 1 else "images are"
    return (
        f"{SIGN} {most}{leaked:,} {split} {verb} identical to images outside the {split} split"
        f"{share}: every figure marked {SIGN} is likely to be too good."
    )
