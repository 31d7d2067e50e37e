"""Reads a dataset as OpenCLIP's training does: its CSV in the dataset's folder, its shards from anywhere.

    openclip.py <CSV> <shards> <validation shards>
"""

import json
import sys
from types import SimpleNamespace

import open_clip
import torch
from open_clip_train.data import get_csv_dataset, get_wds_dataset

csv, shards, val = sys.argv[1:]
preprocess = open_clip.image_transform(32, is_train=False)
tokenizer = open_clip.get_tokenizer("ViT-B-32")
args = SimpleNamespace(
    train_data=csv, val_data=val, csv_img_key="filepath", csv_caption_key="title", csv_separator=",",
    batch_size=4, workers=0, distributed=False, world_size=1, rank=0, seed=0, dataset_resampled=False,
    train_num_samples=None, val_num_samples=None, train_data_upsampling_factors=None,
)  # fmt: skip
torch.manual_seed(0)


def read(data):
    pixels, captions, shapes = 0, [], set()
    for images, texts in data.dataloader:
        shapes.add((*images.shape[1:], *texts.shape[1:]))
        pixels += len(images)
        captions += [tokenizer.decode(row.numpy()).split("<end_of_text>")[0].split("<start_of_text>")[-1] for row in texts]
    return {"samples": data.dataloader.num_samples, "read": pixels, "shapes": sorted(shapes), "captions": sorted(captions)}


result = {"csv": read(get_csv_dataset(args, preprocess, is_train=True, tokenizer=tokenizer))}
args.train_data = shards
result["shards"] = read(get_wds_dataset(args, preprocess, is_train=True, tokenizer=tokenizer, floor=True))
result["val"] = read(get_wds_dataset(args, preprocess, is_train=False, tokenizer=tokenizer))
json.dump(result, sys.stdout)
