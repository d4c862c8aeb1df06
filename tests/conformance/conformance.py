#!/usr/bin/env python3
"""docs/rfc-conformance.md from tests/conformance/rows.md and from the tags of the tests.

rows.md says what the RFCs ask and explains the tags and the notes. Here they are counted: a MUST row needs a test that
shows it obeyed and one that shows its violation refused. Ends with 1 if a tag names a row that does not exist or lacks
its sign, if a MUST row lacks a side, or if --check finds that the document is not what this
script would write.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = "docs/rfc-conformance.md"
ROWS = "tests/conformance/rows.md"
MUST = ("MUST", "MUST NOT")
LEVELS = (*MUST, "SHOULD", "SHOULD NOT", "MAY", "ours")
TEST_CASE = re.compile(r'\bTEST_CASE\(\s*((?:"(?:\\.|[^"\\])*"\s*)+)(?:,\s*((?:"[^"]*"\s*)+))?\)')
TAG = re.compile(r"\[([A-Z]\d\d)([+-]?)\]")
SHELL = re.compile(r"^\s*# conformance: (.*)$", re.MULTILINE)
SIDES = {"+": "obeyed", "-": "violation refused"}

OPENING = """\
<!-- Written by ./dev conformance from tests/conformance/rows.md and the tags of the tests. Do not edit. -->
# What the RFCs ask, and which test holds it

Each row is a demand of RFC 9568 (VRRPv3), RFC 3768 (VRRPv2) or the draft on authentication, in our own words. It is held
in two ways: a test shows that it is obeyed, and a test shows that its violation is refused, or that what is forbidden
does not happen. The tests of each row stand [below](#the-tests-of-each-row).
"""


@dataclass(frozen=True)
class Row:
    id: str
    section: str
    level: str
    requirement: str
    note: str

    def note_says(self, word):
        return self.note.startswith(word + ":")

    def state(self, signs):
        """How it is held, in words."""
        for word in ("not offered", "later"):
            if self.note_says(word):
                return word
        held = {"": "no test yet", "+": "obeyed only", "-": "refusal only", "+-": "both ways"}[signs]
        return f"{held}, differs" if self.note_says("differs") else held

    def lacks(self, signs):
        """The sides that a MUST row should have and has not."""
        wanted = "" if self.level not in MUST else "+-"
        if self.note_says("one way") and signs:
            return ""
        return "".join(sign for sign in wanted if sign not in signs)


@dataclass(frozen=True, order=True)
class Claim:
    """A test that says it holds a row."""

    row: str
    sign: str
    file: str
    test: str


def read_rows(root):
    """{heading of a group: its rows}; each line of a table that is not one is a ValueError."""
    groups = {}
    for number, line in enumerate((root / ROWS).read_text().splitlines(), 1):
        if line.startswith("## "):
            rows = groups.setdefault(line[3:], [])
        if not line.startswith("|") or line.startswith(("| id ", "| --- ")):
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 5 or cells[2] not in LEVELS:
            raise ValueError(f"{ROWS}:{number}: not a row: {line}")
        rows.append(Row(*cells))
    return groups


def joined(literals):
    """The text of adjacent C++ string literals."""
    return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', literals or "")).replace('\\"', '"')


def claims_in(file, text):
    if file.endswith(".cpp"):
        for name, tags in TEST_CASE.findall(text):
            for row, sign in TAG.findall(joined(tags)):
                yield Claim(row, sign, file, joined(name))
    else:
        title = text.splitlines()[0].lstrip("# ").rstrip(".") if file.endswith(".transcript") else ""
        for words in SHELL.findall(text):
            for word in words.split():
                yield Claim(word[:3], word[3:], file, title)


def read_claims(root):
    files = [path for pattern in ("*.cpp", "*.sh", "*.transcript") for path in (root / "tests").rglob(pattern)]
    return sorted(claim for path in files for claim in claims_in(str(path.relative_to(root)), path.read_text()))


def wrong_claims(rows, claims):
    known = {row.id for row in rows}
    for claim in claims:
        if claim.row not in known:
            yield f"{claim.file}: {claim.test}: there is no row {claim.row}"
        elif claim.sign not in SIDES:
            yield f"{claim.file}: {claim.test}: is {claim.row} obeyed (+) or its violation refused (-)?"


def signs_of(row, claims):
    return "".join(sign for sign in SIDES if any((claim.row, claim.sign) == (row.id, sign) for claim in claims))


def share(rows, claims):
    must = [row for row in rows if row.level in MUST]
    held = [row for row in must if not row.lacks(signs_of(row, claims))]
    differs = sum(row.note_says("differs") for row in must)
    return (f"Of {len(must)} MUST rows {len(held)} are held both ways ({100 * len(held) // len(must)} %). "
            f"In {differs} of the {len(must)} vipd differs on purpose; what it does instead is what is tested.")


def table(rows, claims):
    yield "| row | section | level | what is asked | held | note |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in rows:
        signs = signs_of(row, claims)
        name = f"[{row.id}](#{row.id.lower()})" if signs else row.id
        note = row.note.replace("../../docs/", "")
        yield f"| {name} | {row.section} | {row.level} | {row.requirement} | {row.state(signs)} | {note} |"


def tests_of(row, claims):
    yield f"### {row.id}"
    yield ""
    for claim in claims:
        if claim.row == row.id:
            test = f": {claim.test}" if claim.test else ""
            yield f"- {SIDES[claim.sign]}: [{claim.file.removeprefix('tests/')}](../{claim.file}){test}"
    yield ""


def document(groups, rows, claims):
    lines = [OPENING, share(rows, claims)]
    for heading, members in groups.items():
        lines += ["", f"## {heading}", "", *table(members, claims)]
    lines += ["", "## The tests of each row", ""]
    for row in rows:
        if signs_of(row, claims):
            lines += tests_of(row, claims)
    return "\n".join(lines).rstrip() + "\n"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--check", action="store_true", help="compare the document instead of writing it")
    return parser.parse_args()


def complaints(options, groups, rows, claims):
    text, path = document(groups, rows, claims), options.root / DOCUMENT
    if not options.check:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        yield f"{DOCUMENT} is not current: run ./dev conformance and commit what it writes"
    for row in rows:
        for sign in row.lacks(signs_of(row, claims)):
            yield f"{row.id} ({row.level}) has no test of this side: {SIDES[sign]}. {row.requirement}"


def main():
    options = arguments()
    groups, claims = read_rows(options.root), read_claims(options.root)
    rows = [row for members in groups.values() for row in members]
    found = list(wrong_claims(rows, claims)) or list(complaints(options, groups, rows, claims))
    print("\n".join([*found, share(rows, claims)]))
    return bool(found)


sys.exit(main())
