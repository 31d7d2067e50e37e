"""Trains two small models by a step with OpenCLIP itself, saves them as its training does, and exports them with the tool.

    openclip_checkpoint.py <tools/export-openclip.py> <tokenizer.json> <empty folder>

Prints what OpenCLIP computes with them, what the tool said of each list of options, and the heads of the models that
OpenCLIP has configurations for, by it and by the tool.
"""

import contextlib
import importlib.util
import io
import json
import os
import sys
from argparse import Namespace
from pathlib import Path

import open_clip
import torch

tool_path, tokenizer, folder = sys.argv[1:]
spec = importlib.util.spec_from_file_location("tool", tool_path)
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
with open(tokenizer, encoding="utf-8") as file:
    vocabulary = len(json.load(file)["model"]["vocab"])
SIDE, CONTEXT = 24, 77


def export(*arguments):
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["export-openclip.py", *arguments, "--tokenizer", tokenizer]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = tool.main()
    return {"status": status, "said": out.getvalue() + err.getvalue()}


def make(name, quick):
    config = {
        "embed_dim": 32,
        "quick_gelu": quick,
        "vision_cfg": {"image_size": SIDE, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
        "text_cfg": {"context_length": CONTEXT, "vocab_size": vocabulary, "width": 64, "heads": 4, "layers": 3},
    }
    configs = Path(folder, "configs")
    configs.mkdir(exist_ok=True)
    (configs / f"{name}.json").write_text(json.dumps(config))
    open_clip.add_model_config(configs)
    torch.manual_seed(7)
    model = open_clip.create_model(name)
    # Random weights are so small that activations hardly differ.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    pixels = torch.randn(2, 3, SIDE, SIDE)
    ids = torch.zeros(2, CONTEXT, dtype=torch.int64)
    ids[:, 0], ids[0, 1:5], ids[1, 1] = vocabulary - 2, torch.tensor([3, 7, 9, vocabulary - 1]), vocabulary - 1
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, betas=(0.9, 0.98), eps=1e-6)
    images, texts, scale = model(pixels, ids)
    open_clip.ClipLoss()(images, texts, scale).backward()
    optimizer.step()
    run = Path(folder, name, "checkpoints")
    run.mkdir(parents=True)
    content = {"epoch": 1, "name": name, "state_dict": model.state_dict(), "optimizer": optimizer.state_dict()}
    content["scaler"] = torch.cuda.amp.GradScaler(enabled=False).state_dict() | {"scale": 65536.0}
    torch.save(content, run / "epoch_1.pt")
    model.eval()
    with torch.no_grad():
        images = model.encode_image(pixels, normalize=True).tolist()
        texts = model.encode_text(ids, normalize=True).tolist()
    checkpoint, config_file = str(run / "epoch_1.pt"), str(configs / f"{name}.json")
    model_folder = os.path.join(folder, f"{name}-model")
    other = ["--gelu"] if quick else ["--quick-gelu"]
    refused = os.path.join(folder, "refused")
    runs = {
        "exported": export(checkpoint, "--output", model_folder, "--config", config_file),
        "nothing told": export(checkpoint, "--output", refused),
        "other activation": export(checkpoint, "--output", refused, "--config", config_file, *other),
        "other heads": export(checkpoint, "--output", refused, "--config", config_file, "--text-heads", "1"),
    }
    told = {"pixels": pixels.flatten().tolist(), "ids": ids.tolist(), "images": images, "texts": texts}
    return {**told, "runs": runs, "model": model_folder}


def published():
    """Heads of both towers of OpenCLIP's plain ViTs, by OpenCLIP's configurations and by the tool."""
    found = {}
    for name in open_clip.list_models():
        config = open_clip.get_model_config(name)
        vision, text = config["vision_cfg"], config["text_cfg"]
        if not name.startswith("ViT") or "hf_model_name" in text or "timm_model_name" in vision or "CLIPA" in name:
            continue
        if not isinstance(vision["layers"], int) or "multimodal_cfg" in config or "ls_init_value" in vision:
            continue
        shape = (vision["width"], vision["layers"], text["width"], text["layers"])
        told = Namespace(checkpoint="none.pt", config=None, quick_gelu=None, vision_heads=None, text_heads=None)
        facts, _ = tool.gather_facts(told, {}, None, shape)
        heads = [facts.get("vision_heads")[0], facts.get("text_heads")[0]]
        found[name] = {"openclip": [vision["width"] // vision.get("head_width", 64), text["heads"]], "tool": heads}
    return found


models = {"tiny-gelu": make("tiny-gelu", False), "tiny-quickgelu": make("tiny-quickgelu", True)}
json.dump({"side": SIDE, "models": models, "published": published()}, sys.stdout)
