"""Makes checkpoints, then runs tools/export-openclip.py once for each list of arguments.

    run_exports.py <tool> <folder of the checkpoints> <tokens of the vocabulary> <JSON>

The JSON has `runs`, lists of arguments by name, and `vocabulary`, a file of which a tokenizer is made, or null. All in
one process, since loading PyTorch takes longer than most exports. Prints what each run gave, the tokenizer, and how
many heads the tool knows models of the published sizes to have.
"""

import contextlib
import importlib.util
import io
import json
import sys
import types

import clip_checkpoint

_, path, folder, tokens, text = sys.argv
spec = importlib.util.spec_from_file_location("tool", path)
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
asked = json.loads(text)
clip_checkpoint.main(folder, int(tokens))
runs = {}
for name, arguments in asked["runs"].items():
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["export-openclip.py", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = tool.main()
    runs[name] = {"status": status, "stdout": out.getvalue(), "stderr": err.getvalue()}
vocabulary = asked["vocabulary"]
tokenizer = None if vocabulary is None else tool.tokenizer_of(vocabulary)
heads = []
for shape in tool.PUBLISHED:
    told = types.SimpleNamespace(checkpoint="none.pt", config=None, quick_gelu=None, vision_heads=None, text_heads=None)
    facts, _ = tool.gather_facts(told, {}, None, shape)
    heads.append([*shape, facts.get("vision_heads")[0], facts.get("text_heads")[0]])
print(json.dumps({"runs": runs, "tokenizer": tokenizer, "heads": heads}))
