#!/usr/bin/env python3
"""Every public type, constant and function has a doc comment, and each header opens with a description of its subject.

A declaration in namespace scope of include/ needs a `///` above it, above its block of lines without a blank line, or
behind it (`///<`). It is also documented if the header is named after it, or names it in its opening. Members
(the class's comment may cover them), operators and forward declarations are not checked.
"""

import re
import sys
from pathlib import Path

SKIP = re.compile(r"(class|struct|enum class) \w+;|.*\boperator|extern template|#|constexpr std::hash")


def declarations(lines):
    """Yields (index of the first line, text up to its end or body) of each declaration in namespace scope."""
    depth, start, text = 0, None, ""
    for index, line in enumerate(lines):
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0].rstrip()
        stripped = code.strip()
        continues_macro = index > 0 and lines[index - 1].endswith("\\")
        namespace_edge = depth == 0 and re.match(r"(inline )?namespace\b.*\{$|\}$", stripped)
        if not stripped or stripped.startswith("#") or continues_macro or (namespace_edge and start is None):
            continue
        if depth == 0 and start is None:
            start, text = index, ""
        if depth == 0:
            text += stripped + " "
        depth += code.count("{") - code.count("}")
        if depth == 0 and stripped.endswith((";", "}")):
            yield start, text
            start = None


def has_comment(lines, index):
    if "///<" in lines[index]:
        return True
    while index > 0 and lines[index - 1].strip():
        index -= 1
        if lines[index].startswith("///"):
            return True
    return False


def opening(lines):
    for index, line in enumerate(lines):
        if not line.startswith("///"):
            return " ".join(lines[:index])
    return ""


def explained_by_opening(header, lines, text):
    found = re.search(r"\b(?:class|struct|using) (\w+)", text)
    if not found:
        return False
    camel = "".join(part.capitalize() for part in header.stem.split("_"))
    return found[1] == camel or re.search(rf"\b{found[1]}\b", opening(lines)) is not None


def violations(root):
    headers = sorted(root.glob("include/**/*.hpp"))
    if not headers:
        yield f"{root}: no headers"
    for header in headers:
        lines = header.read_text().splitlines()
        if not opening(lines):
            yield f"{header}:1: the header does not say what it is about"
        for index, text in declarations(lines):
            if SKIP.match(text) or has_comment(lines, index) or explained_by_opening(header, lines, text):
                continue
            yield f"{header}:{index + 1}: no doc comment: {lines[index].strip()}"


found = list(violations(Path(sys.argv[1])))
print("\n".join(found) or "every public symbol is documented")
sys.exit(bool(found))
