"""Reads shards with the webdataset library: prints for each set what its samples hold.

    shards.py <folder>
"""

import glob
import json
import os
import sys

import webdataset as wds

folder = sys.argv[1]
result = {}
for name in ("train", "val", "test"):
    shards = sorted(glob.glob(os.path.join(folder, name, "*.tar")))
    samples = wds.WebDataset(shards, shardshuffle=False).decode("pil")
    result[name] = {
        "shards": len(shards),
        "samples": [
            {"key": s["__key__"], "txt": s["txt"], "json": s["json"], "size": s["jpg"].size, "mode": s["jpg"].mode}
            for s in samples
        ],
    }
json.dump(result, sys.stdout)
