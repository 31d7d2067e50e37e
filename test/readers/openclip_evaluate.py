"""Evaluates a small model by OpenCLIP and PyTorch themselves, and exports it with the tool.

    openclip_evaluate.py <tools/export-openclip.py> <empty folder> <root> <labels.csv> <classes.txt> <captions.csv>

Prints the accuracies and recalls as SkyScript's code defines them, and the folder of the exported model.
"""

import contextlib
import importlib.util
import json
import os
import sys
from pathlib import Path

import open_clip
import pandas
import torch
from open_clip.tokenizer import default_bpe
from PIL import Image

tool_path, folder, root, labels_csv, classes_txt, captions_csv = sys.argv[1:]
spec = importlib.util.spec_from_file_location("tool", tool_path)
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


config = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 48, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 64,
        "heads": 4,
        "layers": 2,
    },
}
configs = Path(folder, "configs")
configs.mkdir()
(configs / "tiny-evaluated.json").write_text(json.dumps(config))
open_clip.add_model_config(configs)
torch.manual_seed(11)
model, _, preprocess = open_clip.create_model_and_transforms("tiny-evaluated")
# Random weights are so small that embeddings hardly differ.
with torch.no_grad():
    for parameter in model.parameters():
        parameter.mul_(3)
model.eval()
torch.save({"name": "tiny-evaluated", "state_dict": model.state_dict()}, os.path.join(folder, "tiny.pt"))
exported = os.path.join(folder, "model")
sys.argv = ["export-openclip.py", os.path.join(folder, "tiny.pt"), "--output", exported]
sys.argv += ["--config", str(configs / "tiny-evaluated.json"), "--vocabulary", default_bpe()]
with contextlib.redirect_stdout(sys.stderr):
    assert tool.main() == 0, "the tool exports the model"
tokenize = open_clip.get_tokenizer("tiny-evaluated")


@torch.no_grad()
def embed_images(paths):
    pixels = [preprocess(Image.open(os.path.join(root, path))) for path in paths]
    return torch.cat([model.encode_image(each[None], normalize=True) for each in pixels])


@torch.no_grad()
def embed_texts(texts):
    return torch.cat([model.encode_text(tokenize([text]), normalize=True) for text in texts])


def classification():
    classes = [line.strip() for line in open(classes_txt, encoding="utf-8")]
    prompts = ["a satellite photo of {}.", "a satellite image of {}"]
    means = [embed_texts([prompt.format(name) for prompt in prompts]).mean(dim=0) for name in classes]
    weights = torch.stack([mean / mean.norm() for mean in means])
    rows = pandas.read_csv(labels_csv)
    rows = rows[rows["label"].notnull()]
    wanted = torch.tensor([classes.index(name) for name in rows["label"]])
    best = (100 * embed_images(rows["filepath"]) @ weights.T).topk(5, dim=1).indices
    right = best == wanted[:, None]
    correct1 = right[:, 0].int()
    by_class = [
        {"name": name, "n": int((wanted == i).sum()), "correct1": int(correct1[wanted == i].sum())}
        for i, name in enumerate(classes)
    ]
    counts = {"correct1": int(correct1.sum()), "correct5": int(right.any(dim=1).sum())}
    return {"n": len(rows), **counts, "classes": by_class}


def retrieval():
    rows = pandas.read_csv(captions_csv)
    images = sorted(set(rows["filepath"]))
    texts = sorted(set(rows["title_multi_objects"]))
    belongs = torch.zeros(len(images), len(texts), dtype=torch.bool)
    for path, text in zip(rows["filepath"], rows["title_multi_objects"]):
        belongs[images.index(path), texts.index(text)] = True
    similarity = embed_images(images) @ embed_texts(texts).T

    def recalls(similarity, belongs):
        order = similarity.argsort(dim=1, descending=True)
        ranked = belongs.gather(1, order)
        return {f"R@{k}": float(ranked[:, :k].any(dim=1).double().mean()) for k in (1, 5, 10, 100)}

    both = {"image_to_text": recalls(similarity, belongs), "text_to_image": recalls(similarity.T, belongs.T)}
    return {"images": len(images), "texts": len(texts), **both}


json.dump({"model": exported, "classification": classification(), "retrieval": retrieval()}, sys.stdout)
