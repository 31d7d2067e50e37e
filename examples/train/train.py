"""OpenCLIP's training, which also knows the small model beside this file and keeps the weights that it starts from.

Arguments are those of `python -m open_clip_train.main`; --seed, --logs and --name must be among them.
"""

import sys
from pathlib import Path

import open_clip
import torch
from open_clip_train.main import main, random_seed
from open_clip_train.params import parse_args

open_clip.add_model_config(Path(__file__).parent / "small-clip.json")
args = parse_args(sys.argv[1:])
random_seed(args.seed)
untrained = open_clip.create_model(args.model)
checkpoints = Path(args.logs, args.name, "checkpoints")
checkpoints.mkdir(parents=True)
torch.save({"epoch": 0, "name": args.name, "state_dict": untrained.state_dict()}, checkpoints / "epoch_0.pt")
main(sys.argv[1:])
