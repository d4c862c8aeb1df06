#!/usr/bin/env python3
"""coverage.py BUILD-DIRECTORY: which lines of ours have run in programs built with --coverage, by layer.

Prints a table, and each line of the pure layers that has not run. A line that stands in several objects (a template, an
inline function) has run if it has in any of them. Processes that were killed leave no word of what they did.
"""

import gzip
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

PURE = ("base", "vrrp", "config")
TREE = Path(__file__).resolve().parents[2]


def records(build):
    """What gcov(1) makes of the counters of each object; those of tests have run some lines of our headers, too."""
    counters = [str(path.resolve()) for path in build.glob("**/*.gcda")]
    if not counters:
        sys.exit(f"{build}: nothing has run there")
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["gcov", "--json-format", "--hash-filenames", *counters], cwd=scratch, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for path in Path(scratch).glob("*.gcov.json.gz"):
            with gzip.open(path) as file:
                yield json.load(file)


def executions(build):
    """How often each line has run: {file: {line: count}}."""
    counts = defaultdict(lambda: defaultdict(int))
    for record in records(build):
        for file in record["files"]:
            path = (Path(record["current_working_directory"]) / file["file"]).resolve()
            if not path.is_relative_to(TREE / "src") and not path.is_relative_to(TREE / "include"):
                continue
            for line in file["lines"]:
                counts[path.relative_to(TREE)][line["line_number"]] += line["count"]
    return counts


def layer_of(path):
    parts = path.parts[2:] if path.parts[0] == "include" else path.parts[1:]
    return parts[0] if len(parts) > 1 else "programs"


def report(counts):
    by_layer = defaultdict(list)
    for path, lines in counts.items():
        by_layer[layer_of(path)] += lines.values()
    order = [*PURE, *sorted(set(by_layer) - set(PURE))]
    rows = [(layer, by_layer[layer]) for layer in order]
    rows += [("+".join(PURE), [c for layer in PURE for c in by_layer[layer]]),
             ("all", [c for layer in order for c in by_layer[layer]])]
    print(f"{'layer':18}{'lines':>8}{'have run':>10}{'':>9}")
    for name, lines in rows:
        ran = sum(count > 0 for count in lines)
        print(f"{name:18}{len(lines):8}{ran:10}{100 * ran / max(1, len(lines)):8.1f}%")


def missing(counts):
    for path in sorted(counts):
        text = (TREE / path).read_text().splitlines()
        for number in sorted(counts[path]):
            if counts[path][number] == 0 and layer_of(path) in PURE:
                yield f"{path}:{number}: {text[number - 1].strip()}"


executed = executions(Path(sys.argv[1]))
print("\n".join(missing(executed)))
report(executed)
