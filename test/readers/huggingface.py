"""Loads folders with Hugging Face's datasets: prints configurations, types, and every row with the size of its image.

    huggingface.py <cache> <folder>...
"""

import json
import sys

from datasets import Image, get_dataset_config_names, load_dataset
from datasets.utils.logging import disable_progress_bar, set_verbosity_error

disable_progress_bar()
set_verbosity_error()
cache, *folders = sys.argv[1:]


def plain(row):
    """A row as JSON: of an image its pixels' size, and its path where it is a file of its own."""
    return {
        name: {"size": value.size, "mode": value.mode, "file": value.filename or None} if hasattr(value, "size") else value
        for name, value in row.items()
    }


result = {}
for folder in folders:
    configs = {}
    for config in [*get_dataset_config_names(folder), None]:
        loaded = load_dataset(folder, config, cache_dir=cache)
        configs[config or ""] = {
            split: {
                "images": [name for name, kind in rows.features.items() if isinstance(kind, Image)],
                "rows": [plain(row) for row in rows],
            }
            for split, rows in loaded.items()
        }
    streamed = load_dataset(folder, split="train", streaming=True)
    result[folder] = {"configs": configs, "first": plain(next(iter(streamed)))}
json.dump(result, sys.stdout)
