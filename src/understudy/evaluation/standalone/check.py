"""Compares this machine's answers and pixels with those of golden.npz.

python check.py
"""

import io
import sys

import numpy as np
from pixels import pixels
from predict import HERE, MODEL, SESSION, WANTED


def check() -> str:
    """What differs; "" where all is as it was."""
    golden = np.load(HERE / "golden.npz", allow_pickle=False)
    for name, found in zip(
        ("logits", "probabilities"), SESSION.run(None, {"image": golden["pixels"]}), strict=True
    ):
        if not np.allclose(found, golden[name], rtol=1e-3, atol=1e-3):
            return f"{name} differ by up to {np.abs(found - golden[name]).max():.2g}"
    for number, row in enumerate(golden["files"]):
        made = pixels(io.BytesIO(golden[f"file_{number}"].tobytes()), WANTED).astype(int)
        if np.abs(made - golden["pixels"][row]).max() > 2:  # of 255: two decoders of one JPEG
            return f"{golden['names'][row]} does not become the pixels that it became"
    return ""


if __name__ == "__main__":
    sys.exit(check() or print(f"{MODEL.name}: as it was when it was exported"))
