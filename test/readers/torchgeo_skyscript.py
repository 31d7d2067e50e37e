"""Reads folders with torchgeo's SkyScript class: prints for each split its captions and the shapes of its images.

    torchgeo_skyscript.py <JSON: folder, caption files by split, whether the class looks for all image folders>...
"""

import json
import sys

from torchgeo.datasets import SkyScript

result = []
for text in sys.argv[1:]:
    asked = json.loads(text)
    # The original's files have another name; its class says that these are to be changed in a subclass.
    body = {"caption_files": asked["files"]} if asked["looks"] else {"caption_files": asked["files"], "image_dirs": ()}
    Pairs = type("Pairs", (SkyScript,), body)
    splits = {}
    for split in asked["files"]:
        pairs = Pairs(asked["folder"], split=split)
        samples = [pairs[i] for i in range(len(pairs))]
        splits[split] = [[s["caption"], *s["image"].shape, float(s["image"].max())] for s in samples]
        if split == "train":
            pairs.plot(samples[0], suptitle="a pair")
    result.append(splits)
json.dump(result, sys.stdout)
