"""Runs tools/export-openclip.py once for each list of arguments: run_exports.py <tool> <JSON of the lists>.

In one process, since loading PyTorch takes longer than most exports.
"""

import contextlib
import importlib.util
import io
import json
import sys
import warnings

warnings.simplefilter("ignore")
spec = importlib.util.spec_from_file_location("tool", sys.argv[1])
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
results = []
for arguments in json.loads(sys.argv[2]):
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["export-openclip.py", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = tool.main()
    results.append({"status": status, "stdout": out.getvalue(), "stderr": err.getvalue()})
print(json.dumps(results))
