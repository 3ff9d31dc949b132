#!/usr/bin/env python3
"""Every C++ block of a document is an excerpt of a file that the build compiles.

A block names its source in the line before it:

    <!-- from examples/shopping_cart/cart.hpp -->
    ```cpp

Its lines must stand together in that file, apart from indentation common to the block. Relative
links between documents must lead somewhere, and no placeholder (@ around capitals) is left over.
"""
import pathlib
import re
import sys
import textwrap

BLOCK = re.compile(r"^(?P<before>[^\n]*)\n```cpp\n(?P<code>.*?)^```$", re.M | re.S)
SOURCE = re.compile(r"<!-- from (\S+) -->")
PLACEHOLDER = re.compile(r"@[A-Z]+@")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def flat(text: str) -> str:
    return "\n".join(line.rstrip() for line in textwrap.dedent(text).strip("\n").splitlines())


def excerpt_of(code: str, source: pathlib.Path) -> bool:
    wanted = flat(code).splitlines()
    lines = source.read_text().splitlines()
    return any(
        flat("\n".join(lines[i : i + len(wanted)])).splitlines() == wanted
        for i in range(len(lines) - len(wanted) + 1)
    )


def faults(root: pathlib.Path, document: pathlib.Path):
    text = document.read_text()
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("code")) + 1
        named = SOURCE.search(block["before"])
        if not named:
            yield f"{document}:{line}: say which file this is from: <!-- from FILE -->"
        elif not (root / named[1]).is_file():
            yield f"{document}:{line}: there is no {named[1]}"
        elif not excerpt_of(block["code"], root / named[1]):
            yield f"{document}:{line}: this is not what {named[1]} says"
    for link in LINK.finditer(text):
        if not (document.parent / link[1]).exists():
            line = text.count("\n", 0, link.start()) + 1
            yield f"{document}:{line}: the link {link[1]} leads nowhere"
    for left_over in PLACEHOLDER.finditer(text):
        line = text.count("\n", 0, left_over.start()) + 1
        yield f"{document}:{line}: write what {left_over[0]} stands for"


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    documents = [root / "README.md", *sorted(root.glob("docs/*.md")), *root.glob("examples/*/README.md")]
    found = [fault for document in documents for fault in faults(root, document)]
    print("\n".join(found) if found else f"{len(documents)} documents, every block compiled")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
