"""Loads exported benchmark sets with CLIP_benchmark and torchvision: prints what their loaders give.

    benchmarks_torch.py <clip-benchmark folder> <image-folder folder>
"""

import json
import os
import sys
from collections import Counter

from clip_benchmark.datasets.builder import build_dataset
from torchvision.datasets import ImageFolder

clip_benchmark, image_folder = sys.argv[1:]


def folders(root):
    return sorted(entry.name for entry in os.scandir(root) if entry.is_dir())


def webdataset(name, split):
    root = os.path.join(clip_benchmark, name)
    is_retrieval = os.path.exists(os.path.join(root, "dataset_type.txt"))
    task = "zeroshot_retrieval" if is_retrieval else "zeroshot_classification"
    dataset = build_dataset(f"wds/{name}", root=root, transform=lambda image: image.size, split=split, task=task)
    samples = [(size, label) for size, label in dataset]
    return {
        "classes": dataset.classes,
        "texts": None if is_retrieval else [[t.format(c=c) for t in dataset.templates] for c in dataset.classes],
        "counts": None if is_retrieval else {dataset.classes[label]: n for label, n in Counter(label for _, label in samples).items()},
        "samples": samples,
    }


def image_folder_set(name):
    dataset = ImageFolder(os.path.join(image_folder, name))
    with open(os.path.join(image_folder, name, "classnames.txt"), encoding="utf-8") as file:
        classes = file.read().splitlines()
    return {
        "folders": dataset.classes,
        "classes": classes,
        "images": {os.path.basename(path): classes[label] for path, label in dataset.samples},
        "sizes": [image.size for image, _ in dataset],
    }


result = {
    "webdatasets": {
        name: {split: webdataset(name, split) for split in ("train", "test") if os.path.exists(os.path.join(clip_benchmark, name, split))}
        for name in folders(clip_benchmark)
    },
    "folders": {name: image_folder_set(name) for name in folders(image_folder)},
}
json.dump(result, sys.stdout)
