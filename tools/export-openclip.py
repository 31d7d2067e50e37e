#!/usr/bin/env python3
"""Exports a CLIP checkpoint of OpenCLIP, or of OpenAI, to the folder that `skyscript` reads.

    python3 tools/export-openclip.py checkpoint.pt --tokenizer tokenizer.json --gelu --output model

PyTorch (1.13 or newer) is all it needs. The folder gets the two halves in ONNX (onnx/vision_model.onnx: pixel_values
[batch, 3, S, S] -> image_embeds; onnx/text_model.onnx: input_ids [batch, 77] -> text_embeds; neither is normalised),
preprocessor_config.json and tokenizer.json. The same checkpoint and PyTorch give the same bytes.

Checkpoints: OpenCLIP's training checkpoints (epoch_*.pt) and state dicts (.pt, .bin), OpenAI's TorchScript archives
(.pt), and .safetensors with OpenCLIP's names (open_clip_model.safetensors). Image towers must be vision transformers
that give the class token's output, and fit into the 2 GB of an ONNX file: ViT-L/14 has 1.2, ViT-H/14 2.5.

Three things that decide every number are not in the weights. None of them is guessed, and statements that contradict
each other are refused:

- The vocabulary: give the tokenizer.json of any CLIP with OpenAI's vocabulary, such as that of
  openai/clip-vit-large-patch14, or OpenCLIP's own bpe_simple_vocab_16e6.txt.gz.
- The activation, GELU or QuickGELU (OpenAI's weights, what was fine-tuned from them with --force-quick-gelu, and models
  named ...-quickgelu). It is known of OpenAI's archives, and from OpenCLIP's own files: open_clip_config.json beside the
  checkpoint or given with --config, and params.txt of the training run whose checkpoints/ holds the file. Else say
  --gelu or --quick-gelu.
- The number of attention heads. It is known from open_clip_config.json, and of towers of the sizes that OpenCLIP
  publishes. Else say --vision-heads and --text-heads.
"""

import argparse
import builtins
import gzip
import inspect
import json
import math
import os
import pickle
import re
import shlex
import shutil
import struct
import sys
import types
import warnings
from collections import OrderedDict
from unittest import mock

import torch
from torch import nn

OPENAI_MEAN = [0.48145466, 0.4578275, 0.40821073]
OPENAI_STD = [0.26862954, 0.26130258, 0.27577711]
# torchvision's names and PIL's numbers for them.
INTERPOLATIONS = {"bilinear": 2, "bicubic": 3}
# A head is 64 wide but in these image towers of OpenCLIP: ViT-H/14, ViT-g/14, ViT-bigG/14 and ViT-e/14, with 16 heads
# each. Text towers have heads of 64 also where they are 1280 wide, as bigG's is.
HEAD_WIDTH = 64
VISION_HEAD_WIDTHS = {1280: 80, 1408: 88, 1664: 104, 1792: 112}
# The plain ViTs of OpenCLIP's model_configs: width and layers of the image tower, then of the text tower.
PUBLISHED = {
    (384, 12, 256, 10): "ViT-S (alt)",
    (384, 12, 384, 12): "ViT-S",
    (512, 12, 384, 12): "ViT-M (alt)",
    (512, 12, 512, 12): "ViT-M",
    (768, 12, 512, 12): "ViT-B",
    (896, 12, 640, 12): "ViT-B-plus",
    (1024, 24, 768, 12): "ViT-L",
    (1280, 32, 1024, 24): "ViT-H",
    (1408, 40, 1024, 24): "ViT-g",
    (1664, 48, 1280, 32): "ViT-bigG",
    (1792, 56, 1280, 36): "ViT-e",
}
# What OpenCLIP calls the settings of the model and of its images in the repositories of its hub.
CONFIG = "open_clip_config.json"
# Settings of OpenCLIP under which a model with the tensors of a plain CLIP computes something else, and the plain values.
PLAIN_SETTINGS = {
    "vision_cfg": {"pool_type": "tok", "no_ln_pre": False, "final_ln_after_pool": False, "attentional_pool": False},
    "text_cfg": {"pool_type": "argmax", "no_causal_mask": False, "embed_cls": False},
}
# What OpenAI's archives hold beside the weights; no other checkpoint does.
OPENAI_SETTINGS = {"input_resolution", "context_length", "vocab_size"}
# Names that only other models' tensors have. The first that fits is told.
OTHER_MODELS = [
    (r"vision_model\.|text_model\.", "a model of the transformers library, which names its weights otherwise"),
    (r"visual\.layer\d|visual\.attnpool\.", "a CLIP with a ResNet for images"),
    (r"visual\.trunk\.", "a model whose image tower comes from timm, as SigLIP's, ConvNeXt's and EVA's do"),
    (r"text_decoder\.|(text\.)?cls_emb$", "a CoCa"),
    (r"visual\.attn_pool\.", "a model that pools images by attention, as CoCa does"),
    (r".*\.resblocks\.\d+\.ls_[12]\.", "a model with layer scale"),
    (r"visual\.patchnorm_pre_ln\.", "a model that normalises patches before its first layer"),
    (r"text\.transformer\.(embeddings|encoder|shared)\.", "a CLIP whose text tower is another language model"),
]
# The ONNX format holds at most this in one file.
LARGEST_FILE = 2**31 - 2**20


class Refused(Exception):
    """What the user can do something about, told in a line."""


class QuickGELU(nn.Module):
    """OpenAI's approximation of GELU."""

    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Attention(nn.Module):
    """Multi-head self-attention with the parameters of nn.MultiheadAttention, in plain operators that ONNX has.

    The length is told beforehand: read from the input, it would be arithmetic of shapes in the exported graph.
    """

    def __init__(self, shape):
        super().__init__()
        width = shape["width"]
        self.heads = shape["heads"]
        self.length = shape["tokens"]
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x, mask):
        width = self.out_proj.in_features
        each = width // self.heads
        qkv = nn.functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        # [3, batch, heads, length, width of a head]
        q, k, v = qkv.reshape(-1, self.length, 3, self.heads, each).permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(each)
        if mask is not None:
            scores = scores + mask
        mixed = scores.softmax(dim=-1) @ v
        return self.out_proj(mixed.transpose(1, 2).reshape(-1, self.length, width))


class Block(nn.Module):
    def __init__(self, shape, activation):
        super().__init__()
        width, hidden = shape["width"], shape["hidden"]
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(shape)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            OrderedDict(c_fc=nn.Linear(width, hidden), gelu=activation(), c_proj=nn.Linear(hidden, width))
        )

    def forward(self, x, mask):
        x = x + self.attn(self.ln_1(x), mask)
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, shape, activation):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(shape, activation) for _ in range(shape["layers"]))

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
        self.transformer = Transformer(shape, activation)
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
        width, context = shape["width"], shape["tokens"]
        self.token_embedding = nn.Embedding(shape["vocabulary"], width)
        self.positional_embedding = nn.Parameter(torch.empty(context, width))
        self.transformer = Transformer(shape, activation)
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
    types_of = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    types_of.update({"I64": torch.int64, "I32": torch.int32})
    state = {}
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
            data = bytearray(file.read())
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            if entry["dtype"] not in types_of:
                raise Refused(f"{path} holds {name} as {entry['dtype']}; convert it to F32, F16 or BF16.")
            shape, (begin, end) = entry["shape"], entry["data_offsets"]
            dtype = types_of[entry["dtype"]]
            count = math.prod(shape)
            if end - begin != count * torch.empty(0, dtype=dtype).element_size():
                raise ValueError(f"{name} has another size than its shape")
            state[name] = torch.frombuffer(data, dtype=dtype, offset=begin, count=count).reshape(shape)
    except (struct.error, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise Refused(f"{path} can't be read as safetensors ({first_line(error)}); copy it again.") from error
    return state


def first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")


class Inert:
    """What is made of everything in a pickle but tensors and plain values: it takes whatever it is given, and does nothing."""

    def __init__(self, *_, **__):
        pass

    def __call__(self, *_, **__):
        return self

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    append = extend = add = update = __call__


def allowed_classes():
    """What a pickle of tensors may name, by module and name."""
    names = ("dict", "list", "tuple", "set", "frozenset", "int", "float", "bool", "complex", "str", "bytes", "bytearray")
    plain = {name: getattr(builtins, name) for name in names}
    allowed = {(module, name): kind for module in ("builtins", "__builtin__") for name, kind in plain.items()}
    allowed["collections", "OrderedDict"] = OrderedDict
    for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"):
        if hasattr(torch._utils, name):
            allowed["torch._utils", name] = getattr(torch._utils, name)
    for name in dir(torch):
        value = getattr(torch, name)
        if isinstance(value, torch.dtype) or name in ("Size", "device") or name.endswith("Storage"):
            allowed["torch", name] = value
    for name in ("UntypedStorage", "TypedStorage"):
        if hasattr(torch.storage, name):
            allowed["torch.storage", name] = getattr(torch.storage, name)
    return allowed


class TensorUnpickler(pickle.Unpickler):
    """Reads tensors and plain values, and runs nothing: a pickle may name any program.

    PyTorch's own reader of this kind knows too little in older versions (1.13 stops at a decimal, of which an optimizer
    has several), and stops at whatever else a training script saved beside the weights.
    """

    allowed = None

    def find_class(self, module, name):
        if TensorUnpickler.allowed is None:
            TensorUnpickler.allowed = allowed_classes()
        return TensorUnpickler.allowed.get((module, name), Inert)


def tensor_pickle():
    """The module pickle, whose readers are TensorUnpickler."""
    module = types.ModuleType("pickle")
    module.UnpicklingError = pickle.UnpicklingError
    module.Unpickler = TensorUnpickler
    module.load = lambda file, **options: TensorUnpickler(file, **options).load()
    return module


def load_tensors(path):
    """torch.load with TensorUnpickler."""
    module = tensor_pickle()
    # PyTorch 1.13 forgets the module that it is given, and takes the one that it imported.
    with mock.patch.object(torch.serialization, "pickle", module):
        # weights_only can't be combined with a custom reader; this one is as strict.
        return torch.load(path, map_location="cpu", pickle_module=module, weights_only=False)


def read_checkpoint(path):
    """The state dict, and the name that OpenCLIP gave the training run, or None."""
    if path.endswith(".safetensors"):
        return read_safetensors(path), None
    try:
        # Newer versions tell that TorchScript will go; OpenAI's files stay as they are.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.jit.load(path, map_location="cpu").state_dict(), None
    except RuntimeError:
        pass  # No archive.
    try:
        loaded = load_tensors(path)
    except Exception as error:
        raise Refused(f"{path} can't be read as a checkpoint ({first_line(error)}); copy it again.") from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict):
        raise Refused(f"{path} holds no state dict; save model.state_dict().")
    name = loaded.get("name")
    return state, name if isinstance(name, str) else None


def clean(state):
    """Plain CLIP's names, tensors as 32-bit floats."""
    tensors = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    # What distributed training and torch.compile put before every name.
    for prefix in ("module.", "_orig_mod.", "module."):
        if tensors and all(name.startswith(prefix) for name in tensors):
            tensors = {name[len(prefix) :]: value for name, value in tensors.items()}
    for pattern, what in OTHER_MODELS:
        if any(re.match(pattern, name) for name in tensors):
            raise Refused(f"The checkpoint is of {what}; only plain CLIPs of vision transformers can be exported.")
    # OpenCLIP's CustomTextCLIP keeps the text tower under a name of its own.
    tensors = {name[len("text.") :] if name.startswith("text.") else name: value for name, value in tensors.items()}
    if "text_projection.bias" in tensors:
        raise Refused("The text projection has a bias, so the checkpoint is of another model than a plain CLIP.")
    if "text_projection.weight" in tensors:
        tensors["text_projection"] = tensors.pop("text_projection.weight").t()
    return {name: value.float().contiguous() for name, value in tensors.items()}


def layers_of(state, prefix):
    return len({name[len(prefix) :].split(".")[0] for name in state if name.startswith(prefix)})


class Facts:
    """What is known of a model beside its weights: values by name, each with where it is from. Two that differ are refused."""

    def __init__(self):
        self.known = {}

    def add(self, name, value, source):
        if value is None:
            return
        known, before = self.known.setdefault(name, (value, source))
        if known != value:
            raise Refused(f"{source} says {shown(name, value)}, but {before} says {shown(name, known)}; one is wrong.")

    def get(self, name):
        return self.known.get(name, (None, None))


def shown(name, value):
    if name == "quick":
        return "QuickGELU" if value else "GELU"
    tower = {"vision_heads": "image", "text_heads": "text"}[name]
    return f"{value} head{'' if value == 1 else 's'} in the {tower} tower"


def gather_facts(options, state, run_name, shape):
    """All that OpenCLIP's files, the checkpoint and the user say.

    shape: widths and layers of the image and the text tower.
    """
    facts = Facts()
    width, layers, text_width, text_layers = shape
    if OPENAI_SETTINGS.issubset(state):
        # CLIP's own code computes them so.
        source = "OpenAI's format, which the checkpoint has,"
        facts.add("vision_heads", width // HEAD_WIDTH, source)
        facts.add("text_heads", text_width // HEAD_WIDTH, source)
        facts.add("quick", True, source)
    beside = os.path.join(os.path.dirname(os.path.abspath(options.checkpoint)), CONFIG)
    path = options.config or (beside if os.path.isfile(beside) else None)
    config = None if path is None else read_config(path, shape, facts)
    add_run(facts, options.checkpoint)
    if run_name is not None and re.search(r"model_[\w-]*-quickgelu\b", run_name):
        facts.add("quick", True, f"the training run's name, {run_name},")
    published = PUBLISHED.get(shape)
    if published is not None:
        source = f"OpenCLIP's {published}, which has these widths and layers,"
        facts.add("vision_heads", width // VISION_HEAD_WIDTHS.get(width, HEAD_WIDTH), source)
        facts.add("text_heads", text_width // HEAD_WIDTH, source)
    facts.add("quick", options.quick_gelu, "--quick-gelu" if options.quick_gelu else "--gelu")
    facts.add("vision_heads", options.vision_heads, "--vision-heads")
    facts.add("text_heads", options.text_heads, "--text-heads")
    return facts, config


def read_config(path, shape, facts):
    """Adds what an open_clip_config.json, or a file of OpenCLIP's model_configs, says; returns its image settings."""
    try:
        with open(path, encoding="utf-8") as file:
            whole = json.load(file)
        model = whole.get("model_cfg", whole)
        vision, text = model["vision_cfg"], model["text_cfg"]
        width, text_width = int(vision["width"]), int(text.get("width", 512))
        found = (width, int(vision["layers"]), text_width, int(text.get("layers", 12)))
        heads = width // int(vision.get("head_width", HEAD_WIDTH)), int(text.get("heads", 8))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        why = f"{path} can't be read as an {CONFIG} of a plain CLIP ({first_line(error)})"
        raise Refused(f"{why}; give the file of this model.") from error
    if found != shape:
        names = ("image width", "image layers", "text width", "text layers")
        name, due, is_there = next(each for each in zip(names, found, shape) if each[1] != each[2])
        raise Refused(f"{path} is of another model: its {name} is {due}, the checkpoint's {is_there}.")
    for part, settings in PLAIN_SETTINGS.items():
        for name, plain in settings.items():
            if model[part].get(name, plain) not in (plain, None):
                raise Refused(f"{path} sets {name} to {model[part][name]}; only plain CLIPs can be exported.")
    facts.add("vision_heads", heads[0], path)
    facts.add("text_heads", heads[1], path)
    facts.add("quick", bool(model.get("quick_gelu", False)), path)
    return whole.get("preprocess_cfg") or {}


def add_run(facts, checkpoint):
    """What OpenCLIP's params.txt says, which a training run writes beside its folder of checkpoints."""
    folder = os.path.dirname(os.path.abspath(checkpoint))
    path = os.path.join(os.path.dirname(folder), "params.txt")
    if os.path.basename(folder) != "checkpoints" or not os.path.isfile(path):
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        params = dict(line.rstrip("\n").split(": ", 1) for line in file if ": " in line)
    if "model" not in params:
        return
    forced = params.get("force_quick_gelu") == "True"
    if forced or params["model"].endswith("-quickgelu"):
        facts.add("quick", True, path)
    # OpenCLIP built OpenAI's models with QuickGELU by itself up to some version, and later as the name says.
    elif params.get("pretrained", "").lower() != "openai":
        facts.add("quick", False, path)


def heads_of(width, facts, name, option):
    heads, _ = facts.get(name)
    if heads is None:
        raise Refused(
            f"How many heads the tower of width {width} has can't be seen from its weights, and OpenCLIP publishes no "
            f"model of these sizes; give its {CONFIG} as --config, or say it with {option}."
        )
    if heads < 1 or width % heads != 0:
        raise Refused(f"A width of {width} can't be split into {heads} heads; say with {option} how many there are.")
    return heads


def shapes_of(state, options, gather):
    """Dimensions of both halves, read from the tensors, and what `gather` knows of a model with these widths and layers."""

    def size(name, dimensions):
        if name not in state:
            raise Refused(f"The checkpoint lacks {name}, so it is no plain CLIP with a vision transformer.")
        found = tuple(state[name].shape)
        if len(found) != dimensions:
            raise Refused(f"{name} has {len(found)} dimensions, not {dimensions}, so the checkpoint is no plain CLIP.")
        return found

    width, _, patch, _ = size("visual.conv1.weight", 4)
    size("visual.class_embedding", 1)
    size("visual.ln_pre.weight", 1)
    tokens, _ = size("visual.positional_embedding", 2)
    side = math.isqrt(tokens - 1)
    if side * side != tokens - 1:
        raise Refused(f"The image tower reads {tokens - 1} patches, which make no square.")
    pixels = options.image_size or side * patch
    if pixels // patch != side:
        due = f"{side * patch} a side"
        raise Refused(f"--image-size {pixels} doesn't fit the checkpoint; its positions are for images of {due}.")
    block = "transformer.resblocks."
    vocabulary, text_width = size("token_embedding.weight", 2)
    layers, text_layers = layers_of(state, f"visual.{block}"), layers_of(state, block)
    facts, config = gather((width, layers, text_width, text_layers))
    vision = {
        "width": width,
        "patch": patch,
        "tokens": tokens,
        "pixels": pixels,
        "layers": layers,
        "heads": heads_of(width, facts, "vision_heads", "--vision-heads"),
        "hidden": size(f"visual.{block}0.mlp.c_fc.weight", 2)[0],
        "embed": size("visual.proj", 2)[1],
    }
    text = {
        "width": text_width,
        "vocabulary": vocabulary,
        "tokens": size("positional_embedding", 2)[0],
        "layers": text_layers,
        "heads": heads_of(text_width, facts, "text_heads", "--text-heads"),
        "hidden": size(f"{block}0.mlp.c_fc.weight", 2)[0],
        "embed": size("text_projection", 2)[1],
    }
    if vision["embed"] != text["embed"]:
        raise Refused(f"Images get {vision['embed']} numbers and captions {text['embed']}; the checkpoint is damaged.")
    return vision, text, facts, config


def load(module, state, what):
    try:
        missing, unexpected = module.load_state_dict(state, strict=False)
    except RuntimeError as error:
        # The first line names the class, each other one a tensor.
        detail = str(error).splitlines()[-1].strip().rstrip(".")
        raise Refused(f"The {what} half has tensors of other sizes than a plain CLIP ({detail}).") from error
    if missing or unexpected:
        lists = [("lacks", missing), ("also has", unexpected)]
        told = " and ".join(f"{verb} {', '.join(names[:3])}" for verb, names in lists if names)
        raise Refused(f"The {what} half {told}, so the checkpoint is of another model than a plain CLIP.")
    return module.eval()


def check(module, example, embed, what):
    weights = sum(parameter.numel() for parameter in module.parameters())
    if weights * 4 > LARGEST_FILE:
        raise Refused(
            f"The {what} half has {weights / 1e6:.0f} million weights, and an ONNX file holds 2 GB, which is some 530; "
            "take a smaller model, such as ViT-L/14."
        )
    given = module(example)
    if tuple(given.shape) != (len(example), embed) or not torch.isfinite(given).all():
        raise Refused(f"The {what} half gives no finite numbers; the checkpoint is damaged.")


def without_onnx():
    """Has PyTorch do without the onnx package.

    From 2.0 on its exporter reads the finished file with that package, to add functions written in onnxscript if the
    graph has any. This one has none, which is what the stand-in answers.
    """
    nothing = types.SimpleNamespace(graph=types.SimpleNamespace(node=[]))
    package = types.ModuleType("onnx")
    package.load_from_string = package.load_model_from_string = lambda data: nothing
    return mock.patch.dict(sys.modules, onnx=package)


def export(module, example, path, source, target):
    # Newer versions of PyTorch use another exporter by default, which needs further packages, and warn about this one.
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    with warnings.catch_warnings(), without_onnx():
        # Of this way of exporting and of what it builds on: tracing, TorchScript.
        warnings.simplefilter("ignore")
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
    shown = [code for first, last in ("!~", "¡¬", "®ÿ") for code in range(ord(first), ord(last) + 1)]
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
            # As in the hub's own files.
            | {"normalized": token == specials[0], "special": True}
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


def read_tokenizer(options, vocabulary):
    path = options.tokenizer or options.vocabulary
    try:
        if options.tokenizer is None:
            tokenizer = tokenizer_of(path)
        else:
            with open(path, encoding="utf-8") as file:
                tokenizer = json.load(file)
        count = len(tokenizer["model"]["vocab"])
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        due = "tokenizer.json" if options.vocabulary is None else "bpe_simple_vocab_16e6.txt.gz"
        raise Refused(f"{path} can't be read as a {due} of a CLIP ({first_line(error)}).") from error
    if count != vocabulary:
        raise Refused(f"{path} has {count} tokens and the model {vocabulary}; take the tokenizer of this model.")
    return tokenizer


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="file of weights: .pt, .bin, .safetensors")
    parser.add_argument("--output", required=True, metavar="FOLDER", help="the folder to make, not there yet")
    words = parser.add_mutually_exclusive_group(required=True)
    words.add_argument("--tokenizer", metavar="JSON", help="tokenizer.json of a CLIP with the same vocabulary")
    words.add_argument("--vocabulary", metavar="GZ", help="OpenCLIP's bpe_simple_vocab_16e6.txt.gz, in place of it")

    parser.add_argument("--config", metavar="JSON", help=f"OpenCLIP's {CONFIG} of the model; default: the one beside it")

    activation = parser.add_argument_group("activation (not in a checkpoint)")
    gelu = activation.add_mutually_exclusive_group()
    gelu.add_argument(
        "--quick-gelu",
        action="store_true",
        default=None,
        help="for OpenAI's weights, what was fine-tuned from them, and OpenCLIP's models named ...-quickgelu",
    )
    gelu.add_argument("--gelu", dest="quick_gelu", action="store_false", help="for all others")

    heads = parser.add_argument_group("attention heads (not in a checkpoint; known of the sizes that OpenCLIP publishes)")
    heads.add_argument("--vision-heads", type=positive, metavar="N")
    heads.add_argument("--text-heads", type=positive, metavar="N")

    images = parser.add_argument_group("preprocessing that the model was trained with (default: the config's, or OpenAI's)")
    rgb = ("R", "G", "B")
    images.add_argument("--mean", type=finite, nargs=3, metavar=rgb, help="of values from 0 to 1")
    images.add_argument("--std", type=positive_number, nargs=3, metavar=rgb)
    images.add_argument("--image-size", type=positive, metavar="S", help="pixels a side; default: of all patches")
    images.add_argument("--interpolation", choices=sorted(INTERPOLATIONS))
    return parser.parse_args(arguments)


def positive(text):
    if not re.fullmatch(r"[1-9]\d{0,4}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def finite(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return value


def positive_number(text):
    value = finite(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value


def activation_of(facts, options):
    """The activation, its name, and where it is known from."""
    quick, source = facts.get("quick")
    if quick is None:
        raise Refused(
            f"Which activation {options.checkpoint} was trained with can't be seen from its weights; give its {CONFIG} as "
            "--config, or say --quick-gelu (OpenAI's weights and what was fine-tuned from them, models named "
            "...-quickgelu, training with --force-quick-gelu) or --gelu (LAION's, and OpenCLIP's other models)."
        )
    kind, name = (QuickGELU, "QuickGELU") if quick else (nn.GELU, "GELU")
    return kind, f"{name}, by {source.rstrip(',')}"


def towers_of(options):
    """Both halves with their shapes, what the activation is, and image settings of a config, or None."""
    raw, run_name = read_checkpoint(options.checkpoint)
    state = clean(raw)
    vision_shape, text_shape, facts, config = shapes_of(
        state, options, lambda shape: gather_facts(options, raw, run_name, shape)
    )
    activation, told = activation_of(facts, options)
    image = {name[len("visual.") :]: value for name, value in state.items() if name.startswith("visual.")}
    # Beside the towers a checkpoint holds the temperature, the bias of a sigmoid loss, and the causal mask.
    beside = {"logit_scale", "logit_bias", "attn_mask", *OPENAI_SETTINGS}
    words = {name: value for name, value in state.items() if not name.startswith("visual.") and name not in beside}
    vision = load(Vision(vision_shape, activation), image, "image")
    text = load(Text(text_shape, activation), words, "text")
    return (vision, vision_shape), (text, text_shape), told, config


def run(options):
    (vision, vision_shape), (text, text_shape), activation, config = towers_of(options)
    tokenizer = read_tokenizer(options, text_shape["vocabulary"])
    size, embed = vision_shape["pixels"], vision_shape["embed"]
    pixels = torch.linspace(-2, 2, 2 * 3 * size * size).reshape(2, 3, size, size)
    ids = torch.zeros(2, text_shape["tokens"], dtype=torch.int64)
    ids[:, 0] = text_shape["vocabulary"] - 2
    ids[0, 1] = ids[1, -1] = text_shape["vocabulary"] - 1
    with torch.no_grad():
        check(vision, pixels, embed, "image")
        check(text, ids, embed, "text")
        # A folder with a half in it is none that can be used: it appears when it is whole.
        part = options.output.rstrip("/") + ".part"
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(os.path.join(part, "onnx"))
        try:
            export(vision, pixels, os.path.join(part, "onnx", "vision_model.onnx"), "pixel_values", "image_embeds")
            export(text, ids, os.path.join(part, "onnx", "text_model.onnx"), "input_ids", "text_embeds")
            files = {"preprocessor_config.json": preprocessing(options, config or {}, size), "tokenizer.json": tokenizer}
            for name, value in files.items():
                with open(os.path.join(part, name), "w", encoding="utf-8") as file:
                    json.dump(value, file, ensure_ascii=False, indent=None if name == "tokenizer.json" else 2)
            os.rename(part, options.output)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    tell(vision_shape, text_shape, activation, os.path.abspath(options.output))


def tell(vision, text, activation, folder):
    def tower(shape):
        return f"{shape['layers']} layers, width {shape['width']}, heads {shape['heads']}"

    size, patch = vision["pixels"], vision["patch"]
    print(f"Images:      {tower(vision)}; {size} x {size} pixels in patches of {patch} x {patch}")
    print(f"Captions:    {tower(text)}; {text['tokens']} tokens of {text['vocabulary']}")
    print(f"Activation:  {activation}")
    print(f"Embeddings:  {vision['embed']} numbers, finite for two test images and captions")
    print(f"Written to {folder}. Score pairs of a CSV with the columns filepath and title:")
    # The whole path: two names with a slash between them would be taken for a model of the hub.
    print(f"  npm start --silent -- score --model {shlex.quote(folder)} --images pairs.csv")
    print("or name it in a region file:")
    print(f"  filter: {{ scorers: [{{ name: my_clip, model: {json.dumps(folder, ensure_ascii=False)} }}] }}")


def preprocessing(options, config, size):
    """Options first, then the settings of OpenCLIP's config, then OpenAI's."""
    if config.get("resize_mode", "shortest") != "shortest":
        raise Refused(f"The config resizes images by \"{config['resize_mode']}\"; only \"shortest\" can be exported.")
    interpolation = options.interpolation or config.get("interpolation", "bicubic")
    if interpolation not in INTERPOLATIONS:
        raise Refused(f"The config resizes images by \"{interpolation}\"; say --interpolation bicubic or bilinear.")
    return {
        "do_resize": True,
        "size": {"shortest_edge": size},
        "resample": INTERPOLATIONS[interpolation],
        "do_center_crop": True,
        "crop_size": {"height": size, "width": size},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": options.mean or config.get("mean", OPENAI_MEAN),
        "image_std": options.std or config.get("std", OPENAI_STD),
    }


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
