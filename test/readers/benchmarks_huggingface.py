"""Loads exported benchmark sets with Hugging Face's datasets: prints types and rows of each.

    benchmarks_huggingface.py <cache> <folder>
"""

import json
import sys

from datasets import ClassLabel, Image, get_dataset_config_names, load_dataset
from datasets.utils.logging import disable_progress_bar, set_verbosity_error

disable_progress_bar()
set_verbosity_error()
cache, folder = sys.argv[1:]
result = {}
for name in get_dataset_config_names(folder):
    rows = load_dataset(folder, name, split="test", cache_dir=cache)
    streamed = load_dataset(folder, name, split="test", streaming=True)
    assert streamed.features == rows.features
    plain = [{**row, "image": (row["image"].size, row["image"].mode)} for row in rows]
    assert [{**row, "image": (row["image"].size, row["image"].mode)} for row in streamed] == plain
    result[name] = {
        "images": [column for column, kind in rows.features.items() if isinstance(kind, Image)],
        "labels": {column: kind.names for column, kind in rows.features.items() if isinstance(kind, ClassLabel)},
        "rows": plain,
    }
json.dump(result, sys.stdout)
