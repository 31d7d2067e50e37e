"""Makes small CLIP checkpoints with random weights, and says what PyTorch itself computes with them.

Writes checkpoint files and expected.json: inputs and embeddings, computed by nn.TransformerEncoderLayer in OpenCLIP's
manner (pre-norm layers, class token, causal mask, the end token's output), not by the exporter's own modules. Also files
that are no plain CLIP, to be refused.
"""

import argparse
import json
import os
import struct
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

WIDTH, LAYERS, PATCH, SIDE, EMBED = 128, 2, 8, 24, 32
TEXT_WIDTH, CONTEXT = 64, 77


def random(*shape, scale=0.05):
    return torch.randn(*shape) * scale


def blocks(prefix, width, state):
    for i in range(LAYERS):
        at = f"{prefix}transformer.resblocks.{i}."
        state[at + "ln_1.weight"] = 1 + random(width)
        state[at + "ln_1.bias"] = random(width)
        state[at + "attn.in_proj_weight"] = random(3 * width, width, scale=0.2)
        state[at + "attn.in_proj_bias"] = random(3 * width)
        state[at + "attn.out_proj.weight"] = random(width, width, scale=0.2)
        state[at + "attn.out_proj.bias"] = random(width)
        state[at + "ln_2.weight"] = 1 + random(width)
        state[at + "ln_2.bias"] = random(width)
        state[at + "mlp.c_fc.weight"] = random(2 * width, width, scale=0.2)
        state[at + "mlp.c_fc.bias"] = random(2 * width)
        state[at + "mlp.c_proj.weight"] = random(width, 2 * width, scale=0.2)
        state[at + "mlp.c_proj.bias"] = random(width)


def checkpoint(vocabulary):
    tokens = (SIDE // PATCH) ** 2 + 1
    state = {
        "logit_scale": torch.tensor(4.6),
        "visual.conv1.weight": random(WIDTH, 3, PATCH, PATCH),
        "visual.class_embedding": random(WIDTH),
        "visual.positional_embedding": random(tokens, WIDTH),
        "visual.ln_pre.weight": 1 + random(WIDTH),
        "visual.ln_pre.bias": random(WIDTH),
        "visual.ln_post.weight": 1 + random(WIDTH),
        "visual.ln_post.bias": random(WIDTH),
        "visual.proj": random(WIDTH, EMBED),
        "token_embedding.weight": random(vocabulary, TEXT_WIDTH),
        "positional_embedding": random(CONTEXT, TEXT_WIDTH),
        "ln_final.weight": 1 + random(TEXT_WIDTH),
        "ln_final.bias": random(TEXT_WIDTH),
        "text_projection": random(TEXT_WIDTH, EMBED),
    }
    blocks("visual.", WIDTH, state)
    blocks("", TEXT_WIDTH, state)
    return state


def encode(x, state, prefix, width, activation, mask=None):
    layer = nn.TransformerEncoderLayer(
        width, width // 64, 2 * width, dropout=0, activation=activation, batch_first=True, norm_first=True
    )
    for i in range(LAYERS):
        at = f"{prefix}transformer.resblocks.{i}."
        names = {
            "self_attn.in_proj_weight": "attn.in_proj_weight",
            "self_attn.in_proj_bias": "attn.in_proj_bias",
            "self_attn.out_proj.weight": "attn.out_proj.weight",
            "self_attn.out_proj.bias": "attn.out_proj.bias",
            "linear1.weight": "mlp.c_fc.weight",
            "linear1.bias": "mlp.c_fc.bias",
            "linear2.weight": "mlp.c_proj.weight",
            "linear2.bias": "mlp.c_proj.bias",
            "norm1.weight": "ln_1.weight",
            "norm1.bias": "ln_1.bias",
            "norm2.weight": "ln_2.weight",
            "norm2.bias": "ln_2.bias",
        }
        layer.load_state_dict({name: state[at + own].float() for name, own in names.items()})
        # In training mode the layer takes the plain way; without dropout that is the same function.
        layer.train()
        x = layer(x, src_mask=mask)
    return x


def norm(x, state, name):
    return nn.functional.layer_norm(x, x.shape[-1:], state[name + ".weight"].float(), state[name + ".bias"].float())


def expected(state, activation, pixels, ids):
    patches = nn.functional.conv2d(pixels, state["visual.conv1.weight"].float(), stride=PATCH)
    patches = patches.reshape(len(pixels), WIDTH, -1).permute(0, 2, 1)
    first = state["visual.class_embedding"].float().repeat(len(pixels), 1, 1)
    x = torch.cat([first, patches], dim=1) + state["visual.positional_embedding"].float()
    x = encode(norm(x, state, "visual.ln_pre"), state, "visual.", WIDTH, activation)
    images = norm(x[:, 0], state, "visual.ln_post") @ state["visual.proj"].float()
    mask = torch.triu(torch.ones(CONTEXT, CONTEXT, dtype=torch.bool), 1)
    y = state["token_embedding.weight"].float()[ids] + state["positional_embedding"].float()
    y = norm(encode(y, state, "", TEXT_WIDTH, activation, mask), state, "ln_final")
    texts = torch.stack([row[int(end)] for row, end in zip(y, ids.argmax(1))]) @ state["text_projection"].float()
    return {"images": images.tolist(), "texts": texts.tolist()}


def safetensors(state):
    header, body = {}, b""
    for name, tensor in state.items():
        data = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


class Archive(nn.Module):
    """TorchScript keeps names of modules, so the tensors are put into modules of these names."""

    def __init__(self, state):
        super().__init__()
        for name, tensor in state.items():
            *path, last = name.split(".")
            at = self
            for step in path:
                if not hasattr(at, step):
                    at.add_module(step, nn.Module())
                at = getattr(at, step)
            at.register_parameter(last, nn.Parameter(tensor, requires_grad=False))

    def forward(self, x):
        return x


def wide(vocabulary):
    """Towers as wide as ViT-H/14's for images and ViT-bigG/14's for captions, and next to nothing else."""
    width = 1280
    state = {
        "visual.conv1.weight": random(width, 3, 1, 1),
        "visual.class_embedding": random(width),
        "visual.positional_embedding": random(2, width),
        "visual.proj": random(width, 2),
        "token_embedding.weight": random(vocabulary, width),
        "positional_embedding": random(CONTEXT, width),
        "text_projection": random(width, 2),
    }
    shapes = {"attn.in_proj_weight": (3 * width, width), "attn.in_proj_bias": (3 * width,)}
    shapes.update({"attn.out_proj.weight": (width, width), "attn.out_proj.bias": (width,)})
    shapes.update({"mlp.c_fc.weight": (4, width), "mlp.c_fc.bias": (4,)})
    shapes.update({"mlp.c_proj.weight": (width, 4), "mlp.c_proj.bias": (width,)})
    shapes.update({f"{name}.{kind}": (width,) for name in ("ln_1", "ln_2") for kind in ("weight", "bias")})
    for prefix in ("visual.", ""):
        state.update({f"{prefix}transformer.resblocks.0.{name}": torch.zeros(shape) for name, shape in shapes.items()})
    for name in ("visual.ln_pre", "visual.ln_post", "ln_final"):
        state.update({f"{name}.weight": torch.ones(width), f"{name}.bias": torch.zeros(width)})
    return {name: value.half() for name, value in state.items()}


class Marker:
    """Unpickled by a reader that runs what a pickle asks for, it leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def training(state, folder):
    """A checkpoint as OpenCLIP's training writes it, after a step of its optimizer, and with what other scripts add."""
    weights = {name: nn.Parameter(value.clone()) for name, value in state.items()}
    optimizer = torch.optim.AdamW(weights.values(), lr=5e-4, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.2)
    for weight in weights.values():
        weight.grad = torch.ones_like(weight)
    optimizer.step()
    content = {
        "epoch": 3,
        "name": "2026_01_31-model_ViT-tiny-lr_0.0005-b_64-j_4-p_amp",
        "state_dict": OrderedDict((f"module.{name}", value) for name, value in state.items()),
        "optimizer": optimizer.state_dict(),
        "scaler": {"scale": 65536.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2000},
        "args": argparse.Namespace(lr=5e-4, model="ViT-tiny"),
        "best": np.float64(0.25),
        "marker": Marker(f"{folder}/was-run"),
    }
    torch.save(content, f"{folder}/training.pt")
    os.makedirs(f"{folder}/run/checkpoints")
    torch.save(content, f"{folder}/run/checkpoints/epoch_3.pt")
    with open(f"{folder}/run/params.txt", "w", encoding="utf-8") as file:
        file.write("force_quick_gelu: False\nlr: 0.0005\nmodel: ViT-tiny\npretrained: \n")
    torch.save({**content, "name": "model_ViT-tiny-quickgelu-lr_0.0005"}, f"{folder}/quick-run.pt")
    torch.save(content, f"{folder}/old-format.pt", _use_new_zipfile_serialization=False)


def configs(folder):
    """OpenCLIP's files of this model, and of others."""
    model = {
        "embed_dim": EMBED,
        "vision_cfg": {"image_size": SIDE, "layers": LAYERS, "width": WIDTH, "patch_size": PATCH, "mlp_ratio": 2},
        "text_cfg": {"context_length": CONTEXT, "width": TEXT_WIDTH, "heads": 1, "layers": LAYERS},
    }
    images = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "interpolation": "bilinear", "resize_mode": "shortest"}
    average = {**model, "vision_cfg": {**model["vision_cfg"], "pool_type": "avg"}}
    larger = {**model, "vision_cfg": {**model["vision_cfg"], "width": 256}}
    files = {
        "config": {"model_cfg": model, "preprocess_cfg": images},
        "quick-config": {**model, "quick_gelu": True},
        "average-config": average,
        "larger-config": larger,
        "narrow-config": {**model, "vision_cfg": {**model["vision_cfg"], "head_width": 32}},
        "squash-config": {"model_cfg": model, "preprocess_cfg": {**images, "resize_mode": "squash"}},
    }
    for name, content in files.items():
        with open(f"{folder}/{name}.json", "w", encoding="utf-8") as file:
            json.dump(content, file)


def refused(state):
    """What is no plain CLIP, by the name of its file."""
    block = "visual.transformer.resblocks.0."
    other = {
        "resnet": "visual.layer1.0.conv1.weight",
        "timm": "visual.trunk.blocks.0.attn.qkv.weight",
        "coca": "text_decoder.resblocks.0.ln_1.weight",
        "attention-pool": "visual.attn_pool.query",
        "layer-scale": f"{block}ls_1.gamma",
        "language-model": "text.transformer.embeddings.word_embeddings.weight",
        "transformers": "vision_model.embeddings.class_embedding",
        "unknown-layer": f"{block}attn.ln_q.weight",
    }
    files = {name: {**state, tensor: random(2)} for name, tensor in other.items()}
    files["without-projection"] = {name: value for name, value in state.items() if name != "visual.proj"}
    files["other-size"] = {**state, "visual.ln_post.bias": random(3)}
    files["not-finite"] = {**state, "visual.ln_post.bias": torch.full((WIDTH,), float("nan"))}
    files["list"] = [random(2)]
    return files


def main(folder, vocabulary):
    torch.manual_seed(7)
    state = checkpoint(vocabulary)
    pixels = torch.randn(3, 3, SIDE, SIDE)
    ids = torch.zeros(3, CONTEXT, dtype=torch.int64)
    for row, length in enumerate((1, 9, CONTEXT - 2)):
        ids[row, 0] = vocabulary - 2
        ids[row, 1 : 1 + length] = torch.randint(1, vocabulary - 2, (length,))
        ids[row, 1 + length] = vocabulary - 1
    half = {name: value.half() for name, value in state.items()}
    linear = dict(state)
    linear["text_projection.weight"] = linear.pop("text_projection").t().contiguous()
    torch.save(state, f"{folder}/plain.pt")
    training(state, folder)
    torch.save(half, f"{folder}/half.pt")
    torch.save(linear, f"{folder}/linear.pt")
    with open(f"{folder}/weights.safetensors", "wb") as file:
        file.write(safetensors(state))
    settings = {"input_resolution": SIDE, "context_length": CONTEXT, "vocab_size": vocabulary}
    openai = {**half, **{name: torch.tensor(value) for name, value in settings.items()}}
    torch.jit.save(torch.jit.script(Archive(openai)), f"{folder}/archive.pt")
    torch.jit.save(torch.jit.script(Archive(half)), f"{folder}/other-archive.pt")
    torch.save(wide(vocabulary), f"{folder}/wide.pt")
    configs(folder)
    for name, content in refused(state).items():
        torch.save(content, f"{folder}/{name}.pt")
    with open(f"{folder}/cut.safetensors", "wb") as file:
        file.write(safetensors(state)[:-1000])
    quick = lambda x: x * torch.sigmoid(1.702 * x)  # noqa: E731
    with torch.no_grad():
        results = {
            "gelu": expected(state, nn.functional.gelu, pixels, ids),
            "quick": expected(half, quick, pixels, ids),
            "quick-floats": expected(state, quick, pixels, ids),
        }
    with open(f"{folder}/expected.json", "w", encoding="utf-8") as file:
        json.dump({"pixels": pixels.flatten().tolist(), "ids": ids.tolist(), "side": SIDE, **results}, file)

