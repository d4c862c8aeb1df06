#!/usr/bin/env python3
"""seeded.py --check | [--build DIRECTORY] [--campaign] [NAME...]: does the suite notice deliberate faults?

Makes a copy of the tree in DIRECTORY and builds it once. Then makes each fault of faults.py in turn, builds, runs tests
until one fails (for a minute at most), and removes the fault. Prints the test that noticed each fault, and at the end
the number of noticed faults. The exit status is 1 if more than one fault in twenty was missed. --check only checks that
each place is there exactly once. --campaign runs the random campaign alone, for a minute, and prints the seed and the
seconds of the first violation; without names for one fault of each kind in CAMPAIGN.
"""

import argparse
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # write no __pycache__ into the tree
from faults import BELOW_THE_SEAM, CAMPAIGN, FAULTS  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 60  # seconds for the tests of one fault
MEMORY = 1 << 30  # octets for a process of the campaign: a fault may cause an endless loop
TARGETS = ["test_rfc", "test_sim", "test_unit", "vipd-simulate", "vipd-transcripts"]
TESTS = [["test_rfc"], ["test_unit"], ["vipd-transcripts", str(ROOT / "tests/sim/transcripts")], ["vipd-simulate", "--clusters", "300", "--seconds", "0", "--jobs", "2"], ["test_sim"]]


def check():
    """The faults whose place is not there exactly once."""
    lost = [(name, file) for name, file, old, _ in FAULTS if (ROOT / file).read_text().count(old) != 1]
    for name, file in lost:
        print(f"{file}: the place of the fault '{name}' is not there exactly once", file=sys.stderr)
    lost += [(name, "CAMPAIGN") for name in CAMPAIGN.values() if name not in {fault[0] for fault in FAULTS}]
    doubled = len({name for name, *_ in FAULTS}) != len(FAULTS)
    if doubled:
        print("two faults have the same name", file=sys.stderr)
    return 1 if lost or doubled or len(FAULTS) < 40 else 0


def copy_tree(tree):
    """Copies the files that git tracks or would add, with uncommitted changes; unchanged files keep their time."""
    listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
                             "--deduplicate"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        source, target = ROOT / name, tree / name
        if not source.is_file() or (target.exists() and target.read_bytes() == source.read_bytes()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        target.chmod(source.stat().st_mode)


def build(tree, targets):
    """Returns True if the targets compile; prints the end of the output if not."""
    made = subprocess.run(["cmake", "--build", "build/debug", "--target", *targets], cwd=tree, capture_output=True, text=True)
    if made.returncode != 0:
        print(made.stdout[-2000:])
    return made.returncode == 0


def noticed_by(tree):
    """The first test that fails, or None."""
    end = time.monotonic() + LIMIT
    for command in TESTS:
        try:
            run = subprocess.run([tree / "build/debug/bin" / command[0], *command[1:]], cwd=tree, capture_output=True,
                                 timeout=max(1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            return f"{command[0]} (does not end)" if command[0] != TESTS[-1][0] else None
        if run.returncode != 0:
            return command[0]
    return None


def found_by_campaign(tree):
    """The first violation of a campaign of a minute, with its seed and the seconds until it; None without one."""
    command = [tree / "build/debug/bin/vipd-simulate", "--seconds", str(LIMIT), "--until-violation"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))
    try:
        said, _ = run.communicate(timeout=2 * LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)  # including its child processes
        run.communicate()
        return f"a cluster does not end, and has not for {LIMIT} s"
    violations = [line for line in said.splitlines() if line.startswith("VIOLATION")]
    return violations[0] if violations else None


def try_fault(tree, fault, targets, ask):
    """Makes one fault and returns the test that noticed it, or None."""
    name, file, old, new = fault
    place = tree / file
    before = place.read_text()
    place.write_text(before.replace(old, new))
    try:
        return ask(tree) if build(tree, targets) else "DOES NOT COMPILE"
    finally:
        place.write_text(before)


def main():
    parser = argparse.ArgumentParser(description="Does the suite notice deliberate faults?")
    parser.add_argument("--check", action="store_true", help="only look whether each fault still has its place")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/seeded")
    parser.add_argument("--campaign", action="store_true", help="ask the random campaign alone, for a minute each")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.check:
        return check()
    unknown = set(options.names) - {name for name, *_ in FAULTS}
    if unknown:
        sys.exit(f"there is no fault '{sorted(unknown)[0]}'")
    wanted = options.names or (CAMPAIGN.values() if options.campaign else [name for name, *_ in FAULTS])
    faults = [fault for fault in FAULTS if fault[0] in wanted]
    kinds = {name: kind for kind, name in CAMPAIGN.items()} if options.campaign else {}
    if options.campaign:
        for kind, why in BELOW_THE_SEAM.items():
            print(f"{kind}: not tried, below the simulator's seam: {why}")
    copy_tree(options.build)
    build_rules = options.build / "CMakeLists.txt"
    build_rules.write_text(build_rules.read_text().replace(" -Werror)", ")"))  # a fault may leave something unused
    subprocess.run(["cmake", "--preset", "debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1"], cwd=options.build, check=True, stdout=subprocess.DEVNULL)
    targets, ask = (["vipd-simulate"], found_by_campaign) if options.campaign else (TARGETS, noticed_by)
    if not build(options.build, targets) or ask(options.build):
        sys.exit("the suite fails as it is")
    missed = []
    for fault in faults:
        who = try_fault(options.build, fault, targets, ask)
        print(f"{kinds[fault[0]] + ' ' if fault[0] in kinds else ''}{fault[0]}: {who or 'NOBODY'}", flush=True)
        if who is None or who == "DOES NOT COMPILE":
            missed.append(fault[0])
    print(f"{len(faults) - len(missed)} of {len(faults)} noticed")
    return 1 if 20 * len(missed) > len(faults) else 0


if __name__ == "__main__":
    sys.exit(main())
