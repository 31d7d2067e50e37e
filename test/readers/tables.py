"""Reads a dataset's tables with pandas and pyarrow.

    tables.py <folder>
"""

import glob
import json
import os
import sys

import pandas as pd
import pyarrow.json
import pyarrow.parquet
from PIL import Image

folder = sys.argv[1]
csvs = {}
for path in sorted(glob.glob(os.path.join(folder, "*_*.csv"))):
    pairs = pd.read_csv(path, sep=",")
    lines = pyarrow.json.read_json(path.replace(".csv", ".jsonl")).to_pandas()
    for at in pairs.filepath:
        with Image.open(os.path.join(folder, at)) as image:
            image.load()
            assert image.mode == "RGB" and image.format == "JPEG", at
    csvs[os.path.basename(path)] = {
        "columns": list(pairs.columns),
        "types": [str(kind) for kind in pairs.dtypes],
        "rows": len(pairs),
        "empty": int(pairs.isna().sum().sum()),
        "same": pairs.equals(lines[list(pairs.columns)].astype(pairs.dtypes)) and lines.file_name.equals(lines.filepath),
    }
table = pyarrow.parquet.read_table(os.path.join(folder, "manifest.parquet"))
manifest = pd.read_parquet(os.path.join(folder, "manifest.parquet"))
assert list(manifest.columns) == table.column_names
assert all(isinstance(json.loads(tags), dict) for tags in manifest.center_tags)
types = {field.name: str(field.type) for field in table.schema}
json.dump({"csvs": csvs, "rows": table.num_rows, "types": types, "splits": sorted(set(manifest.split))}, sys.stdout)
