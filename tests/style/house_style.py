"""Checks what neither the compiler nor the formatter checks.

    python3 tests/style/house_style.py <project directory>

Each rule is a pattern, the files it is about, and the sentence to print. Comments and the contents
of string literals are blanked out first. An exception is claimed on its line, with its reason:

    impl_ = new state;  // house_style: the journal outlives static destruction
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

PUBLIC_HEADER = r"^(persistence|actors|runtime)/include/.*\.hpp$"
ALL_BUT_CAF_HEADER = r"^(?!runtime/include/annals/caf\.hpp)"
EXCEPTION = re.compile(r"//.*house_style: \S")


class Rule(NamedTuple):
    where: str  # which paths, seen from the project directory
    pattern: str  # what may not occur in a line
    message: str
    example: str  # a line it must find


RULES = [
    Rule(r"\.hpp$", r"\busing namespace\b",
         "a header must not put a namespace into its users' code",
         "using namespace std;"),
    Rule(r"^(?!benchmarks/)", r"\bsleep_(for|until)\b|\b(u|nano|clock_nano)?sleep\s*\(",
         "wait for what is meant, or use virtual time; never sleep",
         "std::this_thread::sleep_for(1s);"),
    Rule(r"", r"(\.|->)detach\s*\(\s*\)",
         "a detached thread outlives what it uses; join it",
         "worker.detach();"),
    Rule(r"", r"(?<!operator )\bnew\s+[A-Za-z_:]",
         "own by std::unique_ptr or std::make_shared",
         "auto* p = new int;"),
    Rule(r"", r"(?<!operator )\bdelete(\[\])?\s+[A-Za-z_*(]",
         "own by std::unique_ptr",
         "delete p;"),
    Rule(PUBLIC_HEADER, r"\b(mdb_|MDB_)|\blmdb\.h\b",
         "LMDB is private to persistence/src",
         "MDB_env* env;"),
    Rule(PUBLIC_HEADER, r"#\s*include\s*[<\"](msgpack|isa-l|xxhash|nlohmann)",
         "this library is private to persistence/src",
         "#include <msgpack.hpp>"),
    Rule(ALL_BUT_CAF_HEADER + PUBLIC_HEADER[1:], r"#\s*include\s*[<\"]caf/",
         "only annals/caf.hpp may include CAF; a forward declaration is fine",
         "#include <caf/actor.hpp>"),
    Rule(r"", r"#\s*include\s*[<\"]caf/io/",
         "CAF's I/O module opens a port that asks nobody for a password",
         "#include <caf/io/middleman.hpp>"),
]

# Which folders of a library's src/ a file of each may include from, besides its own. What is not listed
# knows nothing. "" is src/ itself.
KNOWS = {
    "persistence/src": {
        "": set(),
        "codec": {""},
        "journal": {"", "codec"},
        "projection_store": {"", "codec"},
        "memory": {"", "codec", "journal", "projection_store"},
        "lmdb/file": {"", "codec"},
        "lmdb/journal": {"", "codec", "journal", "lmdb/file"},
        "lmdb/projection_store": {"", "codec", "projection_store", "lmdb/file"},
        "lmdb": {"lmdb/file", "lmdb/journal", "lmdb/projection_store"},
    },
}

# A pointer that passes straight into its owner is no raw ownership: make_unique cannot call a
# private constructor.
OWNED = re.compile(r"_ptr<[^;]*>\s*\w*\s*[{(]\s*new\s")


def code_only(text: str) -> list[str]:
    """The lines of `text` with comments, and the contents of literals, replaced by spaces."""
    token = re.compile(
        r'^[ \t]*#[ \t]*include[^\n]*'  # kept: the path in it is what the rules look at
        r'|R"([^()\\ ]{0,16})\(.*?\)\1"'
        r'|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'"
        r"|//[^\n]*|/\*.*?\*/",
        re.DOTALL | re.MULTILINE)

    def blank(match: re.Match) -> str:
        found = match.group()
        return found if found.lstrip().startswith("#") else re.sub(r"[^\n]", " ", found)

    return token.sub(blank, text).split("\n")


def violations(path: str, text: str) -> list[str]:
    found = []
    original = text.split("\n")
    for number, line in enumerate(code_only(text), start=1):
        for rule in RULES:
            if not re.search(rule.where, path) or not re.search(rule.pattern, line):
                continue
            if not OWNED.search(line) and not EXCEPTION.search(original[number - 1]):
                found.append(f"{path}:{number}: {rule.message}\n    {original[number - 1].strip()}")
    if path.endswith(".hpp") and "#pragma once" not in text:
        found.append(f"{path}:1: a header starts with #pragma once")
    return found


def against_the_direction(path: str, text: str, knows: dict = KNOWS) -> list[str]:
    """Includes by which a folder would know one that it may not."""
    found = []
    for library, folders in knows.items():
        if not path.startswith(library + "/"):
            continue
        folder = str(Path(path).parent.relative_to(library)).removeprefix(".")
        if folder not in folders:
            return [f"{path}:1: say in KNOWS of tests/style/house_style.py what {library}/{folder} may include"]
        for number, line in enumerate(code_only(text), start=1):
            included = re.search(r'#\s*include\s*"([^"]+)"', line)
            other = str(Path(included.group(1)).parent).removeprefix(".") if included else folder
            if other != folder and other in folders and other not in folders[folder]:
                found.append(f"{path}:{number}: {library}/{folder} may not know {library}/{other}; "
                             f"move what both need below them\n    {line.strip()}")
    return found


def sources(project: Path) -> list[str]:
    tracked = subprocess.run(
        ["git", "-C", project, "ls-files", "*.hpp", "*.cpp"], capture_output=True, text=True)
    if tracked.returncode == 0:
        return [path for path in tracked.stdout.splitlines() if (project / path).exists()]
    return [str(path.relative_to(project)) for path in project.rglob("*.[hc]pp")
            if "build" not in path.relative_to(project).parts]


def check_rules() -> None:
    """A check that finds nothing proves nothing: every rule finds its example, and no more."""
    for rule in RULES:
        path = "persistence/include/annals/example.hpp"
        report = violations(path, "#pragma once\n" + rule.example)
        assert any(rule.message in line for line in report), f"no longer found: {rule.example}"
        assert not violations(path, "#pragma once\n// " + rule.example)
        assert not violations(path, f"#pragma once\n{rule.example} // house_style: an example")
    for fine in ["a& operator=(const a&) = delete;", "new (place) event(1);", "namespace caf {",
                 "return std::shared_ptr<a>(new a(1));", "std::unique_ptr<a> p{new a};"]:
        assert not violations("actors/src/example.cpp", fine), f"wrongly found: {fine}"
    knows = {"a/src": {"low": set(), "high": {"low"}}}
    assert against_the_direction("a/src/low/x.cpp", '#include "high/y.hpp"', knows)
    assert against_the_direction("a/src/new/x.cpp", "", knows)
    assert not against_the_direction("a/src/high/x.cpp", '#include "low/y.hpp"\n#include "high/z.hpp"', knows)


def main() -> int:
    check_rules()
    project = Path(sys.argv[1])
    found = []
    for path in sources(project):
        text = (project / path).read_text(encoding="utf-8")
        found += violations(path, text) + against_the_direction(path, text)
    print("\n".join(found) or "nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
