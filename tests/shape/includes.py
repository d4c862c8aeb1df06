#!/usr/bin/env python3
"""The layers of docs/architecture.md: each file includes only headers of the layers that its own layer may see."""

import re
import sys
from pathlib import Path

MAY_SEE = {
    "base": {"base"},
    "vrrp": {"base", "vrrp"},
    "config": {"base", "vrrp", "config"},
    "os": {"base", "os"},
    "node": {"base", "vrrp", "config", "os", "node"},
    "sim": {"base", "vrrp", "config", "os", "node", "sim"},
    "load": {"base", "config", "os", "load"},
    "daemon": {"base", "vrrp", "config", "os", "node", "load", "daemon"},
    "runner": {"base", "config", "os", "load", "runner"},
    "checker": {"base", "os", "checker"},
    "ctl": {"base", "os", "ctl"},
    "vipd.cpp": {"base", "config", "os", "daemon"},
    "vipd-runner.cpp": {"base", "runner"},
    "vipd-check.cpp": {"checker"},
    "vipctl.cpp": {"base", "ctl"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]vipd/([a-z]+)/')


def violations(root):
    files = [(f, f.relative_to(root / "include/vipd").parts[0]) for f in root.glob("include/vipd/**/*.hpp")]
    files += [(f, f.relative_to(root / "src").parts[0]) for f in root.glob("src/**/*.[ch]pp")]
    if not files:
        yield f"{root}: no sources"
    for file, layer in sorted(files):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            seen = INCLUDE.match(line)
            if layer not in MAY_SEE:
                yield f"{file}: {layer} is no layer"
                break
            if seen and seen[1] not in MAY_SEE[layer]:
                yield f"{file}:{number}: {layer} may not see {seen[1]}"


found = list(violations(Path(sys.argv[1])))
print("\n".join(found) or "every include goes downward")
sys.exit(bool(found))
