"""Names what photographs show, with onnxruntime, numpy and pillow alone.

python predict.py PHOTO ...
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from pixels import pixels  # the file beside this one

HERE = Path(__file__).resolve().parent
MODEL = next(path for path in HERE.glob("*.onnx") if not path.name.endswith(".int8.onnx"))
SESSION = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
FACTS = SESSION.get_modelmeta().custom_metadata_map
NAMES, WANTED = json.loads(FACTS["classes"]), json.loads(FACTS["preprocessing"])

if __name__ == "__main__":
    unread = [] if sys.argv[1:] else [(__doc__ or "").split("\n\n")[1].strip()]
    for photo in sys.argv[1:]:
        try:
            shown = pixels(photo, WANTED)
        except Exception as error:  # pillow has no base class for what it cannot read
            unread.append(f"{photo}  cannot be read: {error}")
            continue
        ((shares,),) = SESSION.run(["probabilities"], {"image": shown[None]})
        best = np.argsort(-shares)[:3]
        print(photo, *(f"{NAMES[place]} {shares[place]:.1%}" for place in best), sep="  ")
    sys.exit("\n".join(unread) or 0)
