#!/usr/bin/env python3
"""Exports a CLIP checkpoint of OpenCLIP, or of OpenAI, to the folder that `skyscript` reads.

    python3 tools/export-openclip.py checkpoint.pt --tokenizer tokenizer.json --output model

PyTorch is all it needs. The folder gets the two halves in ONNX (onnx/vision_model.onnx: pixel_values [batch, 3, S, S] ->
image_embeds; onnx/text_model.onnx: input_ids [batch, 77] -> text_embeds), preprocessor_config.json and tokenizer.json.

Checkpoints: OpenCLIP's training checkpoints and state dicts (.pt, .bin), OpenAI's TorchScript archives (.pt), and
.safetensors with OpenCLIP's names. Image towers must be vision transformers with a class token.

The vocabulary is not in a checkpoint: give the tokenizer.json of any CLIP with OpenAI's vocabulary, such as that of
openai/clip-vit-large-patch14, or OpenCLIP's own bpe_simple_vocab_16e6.txt.gz.
"""

import argparse
import gzip
import inspect
import json
import math
import os
import shutil
import struct
import sys
from collections import OrderedDict

import torch
from torch import nn

OPENAI_MEAN = [0.48145466, 0.4578275, 0.40821073]
OPENAI_STD = [0.26862954, 0.26130258, 0.27577711]
# torchvision's names and PIL's numbers for them.
INTERPOLATIONS = {"bilinear": 2, "bicubic": 3}
# Widths of towers whose heads are not 64 wide: ViT-H/14 and ViT-g/14 have 80 and 88, ViT-bigG/14 has 104.
HEAD_WIDTHS = {1280: 80, 1408: 88, 1664: 104}
# The ONNX format holds at most this in one file.
LARGEST_FILE = 2**31 - 2**20


class Refused(Exception):
    """What the user can do something about, in one sentence."""


class QuickGELU(nn.Module):
    """OpenAI's approximation of GELU."""

    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Attention(nn.Module):
    """Multi-head self-attention with the parameters of nn.MultiheadAttention, in plain operators that ONNX has."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x, mask):
        batch, length, width = x.shape
        qkv = nn.functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        # [3, batch, heads, length, width of a head]
        q, k, v = qkv.reshape(-1, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(width // self.heads)
        if mask is not None:
            scores = scores + mask
        mixed = scores.softmax(dim=-1) @ v
        return self.out_proj(mixed.transpose(1, 2).reshape(-1, length, width))


class Block(nn.Module):
    def __init__(self, width, heads, hidden, activation):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            OrderedDict(c_fc=nn.Linear(width, hidden), gelu=activation(), c_proj=nn.Linear(hidden, width))
        )

    def forward(self, x, mask=None):
        x = x + self.attn(self.ln_1(x), mask)
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads, hidden, activation):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads, hidden, activation) for _ in range(layers))

    def forward(self, x, mask=None):
        for block in self.resblocks:
            x = block(x, mask)
        return x


class Vision(nn.Module):
    """[batch, 3, S, S] -> [batch, D], not normalised."""

    def __init__(self, shape, activation):
        super().__init__()
        width, patch, tokens = shape["width"], shape["patch"], shape["tokens"]
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty(tokens, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, shape["layers"], shape["heads"], shape["hidden"], activation)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.empty(width, shape["embed"]))

    def forward(self, pixel_values):
        x = self.conv1(pixel_values).flatten(2).transpose(1, 2)
        # A product with the batch in it: expand() would fix the batch at export.
        first = self.class_embedding + x[:, :1, :] * 0
        x = torch.cat([first, x], dim=1) + self.positional_embedding
        x = self.transformer(self.ln_pre(x))
        return self.ln_post(x[:, 0]) @ self.proj


class Text(nn.Module):
    """[batch, 77] -> [batch, D], not normalised."""

    def __init__(self, shape, activation):
        super().__init__()
        width, context = shape["width"], shape["context"]
        self.token_embedding = nn.Embedding(shape["vocabulary"], width)
        self.positional_embedding = nn.Parameter(torch.empty(context, width))
        self.transformer = Transformer(width, shape["layers"], shape["heads"], shape["hidden"], activation)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.empty(width, shape["embed"]))
        self.register_buffer("mask", torch.full((context, context), float("-inf")).triu(1), persistent=False)

    def forward(self, input_ids):
        x = self.token_embedding(input_ids) + self.positional_embedding
        x = self.ln_final(self.transformer(x, self.mask))
        # The end token has the highest id; filling is 0.
        end = input_ids.argmax(dim=-1)
        chosen = torch.gather(x, 1, end.view(-1, 1, 1).expand(-1, 1, x.shape[2])).squeeze(1)
        return chosen @ self.text_projection


def read_safetensors(path):
    """8 bytes of header length, a JSON header of dtype, shape and offsets, then the tensors."""
    types = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    types.update({"I64": torch.int64, "I32": torch.int32})
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    state = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] not in types:
            raise Refused(f"{path} holds {name} as {entry['dtype']}; convert it to F32, F16 or BF16.")
        begin, end = entry["data_offsets"]
        dtype = types[entry["dtype"]]
        flat = torch.frombuffer(data, dtype=dtype, offset=begin, count=(end - begin) // dtype.itemsize) if hasattr(
            dtype, "itemsize"
        ) else torch.frombuffer(data[begin:end], dtype=dtype)
        state[name] = flat.reshape(entry["shape"])
    return state


def read_checkpoint(path):
    """The state dict, and whether the file is one of OpenAI's archives."""
    if path.endswith(".safetensors"):
        return read_safetensors(path), False
    try:
        return torch.jit.load(path, map_location="cpu").state_dict(), True
    except RuntimeError:
        pass  # No TorchScript archive.
    weights_only = {"weights_only": True} if "weights_only" in inspect.signature(torch.load).parameters else {}
    try:
        loaded = torch.load(path, map_location="cpu", **weights_only)
    except Exception as error:
        raise Refused(f"{path} can't be read as a PyTorch checkpoint ({str(error).splitlines()[0]}).") from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict):
        raise Refused(f"{path} holds no state dict; save model.state_dict().")
    return state, False


def clean(state):
    """Names without the prefix of distributed training, tensors as 32-bit floats."""
    tensors = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    if tensors and all(name.startswith("module.") for name in tensors):
        tensors = {name[len("module.") :]: value for name, value in tensors.items()}
    # OpenCLIP's CustomTextCLIP keeps the text tower under a name of its own.
    tensors = {name[len("text.") :] if name.startswith("text.") else name: value for name, value in tensors.items()}
    if "text_projection.weight" in tensors:
        if "text_projection.bias" in tensors:
            raise Refused("The text projection has a bias, which no CLIP of OpenAI's form has.")
        tensors["text_projection"] = tensors.pop("text_projection.weight").t()
    return {name: value.float().contiguous() for name, value in tensors.items()}


def layers_of(state, prefix):
    names = [name[len(prefix) :].split(".")[0] for name in state if name.startswith(prefix)]
    return len({int(name) for name in names})


def heads_of(width, told):
    heads = told if told is not None else width // HEAD_WIDTHS.get(width, 64)
    if heads < 1 or width % heads != 0:
        raise Refused(f"A width of {width} can't be split into {heads} heads; say how many there are.")
    return heads


def shapes_of(state, options):
    """Dimensions of both halves, read from the tensors."""
    if "visual.conv1.weight" not in state or "visual.class_embedding" not in state:
        kind = "a ResNet or another tower" if any(name.startswith("visual.") for name in state) else "no image tower"
        raise Refused(f"The checkpoint has {kind} where a vision transformer with a class token is due.")
    for odd in ("visual.attn_pool", "visual.transformer.resblocks.0.ls_1", "visual.patchnorm", "text_decoder"):
        if any(name.startswith(odd) for name in state):
            raise Refused(f"The checkpoint has {odd}, so it is another model than a plain CLIP.")
    for name in ("visual.proj", "visual.ln_pre.weight", "token_embedding.weight", "text_projection"):
        if name not in state:
            raise Refused(f"The checkpoint lacks {name}, so it is another model than a plain CLIP.")
    width, _, patch, _ = state["visual.conv1.weight"].shape
    tokens = state["visual.positional_embedding"].shape[0]
    side = math.isqrt(tokens - 1)
    if side * side != tokens - 1:
        raise Refused(f"The image tower has {tokens - 1} patches, which make no square.")
    block = "transformer.resblocks."
    vision = {
        "width": width,
        "patch": patch,
        "tokens": tokens,
        "size": side * patch,
        "layers": layers_of(state, "visual." + block),
        "heads": heads_of(width, options.vision_heads),
        "hidden": state[f"visual.{block}0.mlp.c_fc.weight"].shape[0],
        "embed": state["visual.proj"].shape[1],
    }
    vocabulary, text_width = state["token_embedding.weight"].shape
    text = {
        "width": text_width,
        "vocabulary": vocabulary,
        "context": state["positional_embedding"].shape[0],
        "layers": layers_of(state, block),
        "heads": heads_of(text_width, options.text_heads),
        "hidden": state[f"{block}0.mlp.c_fc.weight"].shape[0],
        "embed": state["text_projection"].shape[1],
    }
    if vision["embed"] != text["embed"]:
        raise Refused(f"Images get {vision['embed']} numbers and captions {text['embed']}; the checkpoint is damaged.")
    return vision, text


def load(module, state, what):
    missing, unexpected = module.load_state_dict(state, strict=False)
    if missing or unexpected:
        names = ", ".join([*missing, *unexpected][:5])
        raise Refused(f"The {what} half has other tensors than a plain CLIP ({names}).")
    return module.eval()


def export(module, example, path, source, target):
    size = sum(parameter.numel() * 4 for parameter in module.parameters())
    if size > LARGEST_FILE:
        raise Refused(f"{os.path.basename(path)} would have {size / 1e9:.1f} GB, and one ONNX file holds 2; it can't be exported.")
    # Newer versions of PyTorch export by another way unless told, which needs further packages.
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(
        module,
        (example,),
        path,
        input_names=[source],
        output_names=[target],
        dynamic_axes={source: {0: "batch"}, target: {0: "batch"}},
        opset_version=14,
        **options,
    )


def tokenizer_of(vocabulary):
    """tokenizer.json of OpenCLIP's bpe_simple_vocab_16e6.txt.gz, as its SimpleTokenizer reads it."""
    with gzip.open(vocabulary, "rt", encoding="utf-8") as file:
        merges = file.read().split("\n")[1 : 49152 - 256 - 2 + 1]
    shown = list(range(ord("!"), ord("~") + 1)) + list(range(ord("¡"), ord("¬") + 1)) + list(range(ord("®"), ord("ÿ") + 1))
    characters = [chr(byte) for byte in shown] + [chr(256 + i) for i in range(256 - len(shown))]
    pieces = [*characters, *(character + "</w>" for character in characters)]
    pieces += ["".join(merge.split()) for merge in merges]
    specials = ["<|startoftext|>", "<|endoftext|>"]
    pieces += specials
    vocab = {piece: i for i, piece in enumerate(pieces)}
    start, end = (vocab[special] for special in specials)
    split = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": vocab[token], "content": token, "single_word": False, "lstrip": False, "rstrip": False}
            | {"normalized": False, "special": True}
            for token in specials
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
                {"type": "Lowercase"},
            ],
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": split}, "behavior": "Removed", "invert": True},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True},
            ],
        },
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": [specials[1], end],
            "cls": [specials[0], start],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": specials[1],
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>",
            "fuse_unk": False,
            "vocab": vocab,
            "merges": merges,
        },
    }


def check_tokenizer(tokenizer, vocabulary, path):
    ids = tokenizer.get("model", {}).get("vocab", {})
    if len(ids) != vocabulary:
        raise Refused(f"{path} has {len(ids)} tokens and the model {vocabulary}; take the tokenizer of this model.")


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--output", required=True, help="the folder to make")
    words = parser.add_mutually_exclusive_group(required=True)
    words.add_argument("--tokenizer", help="tokenizer.json of a CLIP with the same vocabulary")
    words.add_argument("--vocabulary", help="OpenCLIP's bpe_simple_vocab_16e6.txt.gz")
    gelu = parser.add_mutually_exclusive_group()
    gelu.add_argument(
        "--quick-gelu",
        action="store_true",
        default=None,
        help="for OpenAI's weights and OpenCLIP's models named ...-quickgelu; a wrong choice changes every score. "
        "OpenAI's own archives are recognised",
    )
    gelu.add_argument("--gelu", dest="quick_gelu", action="store_false", help="for all others; the default")
    parser.add_argument("--vision-heads", type=int, help="attention heads, where a head is not 64 wide")
    parser.add_argument("--text-heads", type=int)
    parser.add_argument("--mean", type=float, nargs=3, default=OPENAI_MEAN, help="of red, green, blue; OpenAI's unless told")
    parser.add_argument("--std", type=float, nargs=3, default=OPENAI_STD)
    parser.add_argument("--interpolation", choices=sorted(INTERPOLATIONS), default="bicubic")
    return parser.parse_args(arguments)


def run(options):
    archive, openai = read_checkpoint(options.checkpoint)
    state = clean(archive)
    vision_shape, text_shape = shapes_of(state, options)
    quick = openai if options.quick_gelu is None else options.quick_gelu
    activation = QuickGELU if quick else nn.GELU
    image = {name[len("visual.") :]: value for name, value in state.items() if name.startswith("visual.")}
    # Beside the towers a checkpoint holds the temperature, the bias of SigLIP's loss, a mask and archives' settings.
    beside = {"logit_scale", "logit_bias", "attn_mask", "input_resolution", "context_length", "vocab_size"}
    words = {name: value for name, value in state.items() if not name.startswith("visual.") and name not in beside}
    vision = load(Vision(vision_shape, activation), image, "image")
    text = load(Text(text_shape, activation), words, "text")

    if options.tokenizer is not None:
        with open(options.tokenizer, encoding="utf-8") as file:
            tokenizer = json.load(file)
    else:
        tokenizer = tokenizer_of(options.vocabulary)
    check_tokenizer(tokenizer, text_shape["vocabulary"], options.tokenizer or options.vocabulary)

    size = vision_shape["size"]
    pixels = torch.zeros(2, 3, size, size)
    ids = torch.zeros(2, text_shape["context"], dtype=torch.int64)
    ids[:, 0] = text_shape["vocabulary"] - 2
    ids[:, 1] = text_shape["vocabulary"] - 1
    with torch.no_grad():
        for what, given in (("image", vision(pixels)), ("text", text(ids))):
            if not torch.isfinite(given).all():
                raise Refused(f"The {what} half gives no finite numbers; the checkpoint is damaged.")
        # A folder with a half in it is none that can be used: it appears when it is whole.
        half = options.output.rstrip("/") + ".part"
        shutil.rmtree(half, ignore_errors=True)
        os.makedirs(os.path.join(half, "onnx"))
        export(vision, pixels, os.path.join(half, "onnx", "vision_model.onnx"), "pixel_values", "image_embeds")
        export(text, ids, os.path.join(half, "onnx", "text_model.onnx"), "input_ids", "text_embeds")
    preprocessing = {
        "do_resize": True,
        "size": {"shortest_edge": size},
        "resample": INTERPOLATIONS[options.interpolation],
        "do_center_crop": True,
        "crop_size": {"height": size, "width": size},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": options.mean,
        "image_std": options.std,
    }
    for name, value in (("preprocessor_config.json", preprocessing), ("tokenizer.json", tokenizer)):
        with open(os.path.join(half, name), "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=None if name == "tokenizer.json" else 2)
    os.rename(half, options.output)

    def tell(what, shape):
        return f"{what}: {shape['layers']} layers, width {shape['width']}, {shape['heads']} heads"

    print(f"{tell('Images', vision_shape)}, patches of {vision_shape['patch']}, {size} x {size} pixels")
    print(f"{tell('Captions', text_shape)}, {text_shape['context']} tokens")
    print(f"Embeddings of {vision_shape['embed']} numbers, {'QuickGELU' if quick else 'GELU'}")
    print(f"Written to {options.output}. In a region file:")
    print(f"  filter: {{ scorers: [{{ name: my_clip, model: ./{os.path.relpath(options.output)} }}] }}")


def main():
    options = parse(sys.argv[1:])
    try:
        if not os.path.isfile(options.checkpoint):
            raise Refused(f"{options.checkpoint} is not there.")
        if os.path.exists(options.output):
            raise Refused(f"{options.output} is there already; name a new folder, or remove it.")
        run(options)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
