"""Names what photographs show, with onnxruntime, numpy and pillow alone.

python predict.py PHOTO ...     or     python predict.py --check
"""

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent
MODEL = next(path for path in HERE.glob("*.onnx") if not path.name.endswith(".int8.onnx"))
SESSION = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
FACTS = SESSION.get_modelmeta().custom_metadata_map
NAMES, WANTED = json.loads(FACTS["classes"]), json.loads(FACTS["preprocessing"])


def pixels(file: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """[H, W, C]: what the model takes, as README.md describes it."""
    image: Image.Image = Image.open(file)
    first, side = WANTED["file"]["size"], WANTED["height"]
    if first:  # a JPEG is decoded no larger than twice what is wanted
        image.draft(None, (2 * first, 2 * first))
    image.load()
    with contextlib.suppress(Exception):  # unreadable EXIF says nothing about the orientation
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I"):  # 16 bits
        deep = np.asarray(image).astype(np.int64)
        image = Image.fromarray(((deep + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    image = image.convert("L" if WANTED["channels"] == 1 else "RGB")
    if first and image.size != (first, first):
        short = min(image.size)
        left, top = ((length - short) // 2 for length in image.size)
        box = (left, top, left + short, top + short)
        image = image.resize((first, first), Image.Resampling.BICUBIC, box=box)
    if image.size != (side, side):
        width, height = (side * length // min(image.size) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BILINEAR)
        left, top = round((width - side) / 2), round((height - side) / 2)
        image = image.crop((left, top, left + side, top + side))
    return np.asarray(image, dtype=np.uint8).reshape(side, side, WANTED["channels"])


def check() -> str:
    """Compares answers and decoding with golden.npz; "" where all is as it was."""
    golden = np.load(HERE / "golden.npz", allow_pickle=False)
    for name, found in zip(
        ("logits", "probabilities"), SESSION.run(None, {"image": golden["pixels"]}), strict=True
    ):
        if not np.allclose(found, golden[name], rtol=1e-3, atol=1e-3):
            return f"{name} differ by up to {np.abs(found - golden[name]).max():.2g}"
    for number, row in enumerate(golden["files"]):
        made = pixels(io.BytesIO(golden[f"file_{number}"].tobytes())).astype(int)
        if np.abs(made - golden["pixels"][row]).max() > 2:  # of 255: two decoders of one JPEG
            return f"{golden['names'][row]} does not become the pixels that it became"
    return ""


if __name__ == "__main__":
    if sys.argv[1:] in ([], ["--check"]):
        wrong = check() if sys.argv[1:] else (__doc__ or "").split("\n\n")[1].strip()
        sys.exit(wrong or print(f"{MODEL.name}: as it was when it was exported"))
    unread = 0
    for photo in sys.argv[1:]:
        try:
            shown = pixels(photo)
        except Exception as error:  # pillow has no base class for what it cannot read
            unread += 1
            print(f"{photo}  cannot be read: {error}", file=sys.stderr)
            continue
        ((shares,),) = SESSION.run(["probabilities"], {"image": shown[None]})
        best = np.argsort(-shares)[:3]
        print(photo, *(f"{NAMES[place]} {shares[place]:.1%}" for place in best), sep="  ")
    sys.exit(1 if unread else 0)
