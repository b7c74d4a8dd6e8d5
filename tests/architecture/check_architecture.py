#!/usr/bin/env python3
"""Enforces the direction rules of ARCHITECTURE.md on the sources as they stand.

check_architecture.py ROOT: prints one line a breach ("file:line: what") and exits 1 if there is any.
It reads every #include under engine/, widgets/ and app/, a few words that have no place in some
folders, the length of files, and every tracked text file for things that belong to one machine.
"""

import os
import re
import subprocess
import sys

VALUES = {"core", "spec", "layout", "records"}

# What a folder may include beside itself. "engine/x" is written "x".
ALLOWED = {
    "core": set(),
    "io": {"core"},
    "text": {"core", "io"},
    "spec": {"core"},
    "layout": {"core", "io", "spec"},
    "records": {"core"},
    "stats": {"core"},
    "metrics": {"core", "text", "stats", "records"},
    "store": {"core", "records"},
    "search": {"core", "spec", "records"},
    "project": {"core", "io", "spec", "records", "text", "stats"},
    "kernels": {"core"},
    # libpareto_cuda.so, opened at run time: nothing else may include it.
    "gpu": {"kernels"},
    # Logical tensors of a model and their storage kinds.
    "weights": {"core", "io", "spec", "layout"},
    "compress": {"core", "io", "spec", "layout", "weights", "stats"},
    "export": {"core", "io", "text", "spec", "layout", "weights", "compress"},
    "runtime": {"core", "spec", "weights", "kernels"},
    "models": {"core", "io", "text", "spec", "layout", "weights", "kernels", "runtime"},
    "tasks": VALUES | {"io", "text", "stats", "metrics", "weights", "runtime", "models"},
    "bench": VALUES | {"io", "text", "stats", "weights", "kernels", "runtime", "models"},
    "train": VALUES | {"io", "text", "stats", "weights", "runtime", "models", "compress", "tasks"},
    "dist": VALUES | {"io", "text", "weights", "kernels", "runtime", "models"},
    "jobs/api": VALUES | {"io", "text", "stats", "metrics", "search", "weights", "project"},
    "jobs/run": VALUES | {"io", "text", "stats", "metrics", "search", "weights", "kernels", "compress",
                          "export", "runtime", "models", "tasks", "bench", "train", "dist",
                          "jobs/api"},
    "widgets": VALUES | {"search", "stats", "metrics"},
    "app/studio": VALUES | {"search", "stats", "metrics", "widgets", "store", "project", "jobs/api"},
    "app/cli": VALUES | {"search", "stats", "metrics", "store", "project", "jobs/api", "jobs/run"},
}
# One file each, with its reason.
EXCEPTIONS = {
    # Opens a model in the studio's own process: only headers and shapes are read, by a thread.
    ("app/studio/model_opener.cpp", "io"),
    # Where the Hugging Face cache is and how it names models; folders are listed, no file is read.
    ("app/studio/found_models.cpp", "io"),
    # Columns and first rows of the user's own data, read in the pool.
    ("app/studio/data_file.cpp", "io"),
    # Texts of the items that two runs differ in, from the same files.
    ("app/studio/data/item_texts.cpp", "io"),
    # What a format cannot say is shown before a job is queued; arithmetic on the layout.
    ("app/studio/export_notes.cpp", "export"),
}

# Folders whose .cpp files may see libtorch's headers; runtime/torch_*.h are the only such headers.
TORCH_FOLDERS = {"gpu", "runtime", "models", "tasks", "bench", "train", "dist", "jobs/run"}
TORCH_HEADER = re.compile(r"^(torch|ATen|c10|caffe2)/")
QT_HEADER = re.compile(r"^(Q[A-Z]\w*|Qt\w*|qcustomplot\.h)(/|$)")
# Third-party headers that one or few folders are the door to.
DOORS = {
    re.compile(r"^sqlite3\.h$"): {"store"},
    re.compile(r"^nlohmann/"): {"core"},
    re.compile(r"^openssl/"): {"core"},
    re.compile(r"^unicode/"): {"text"},
    re.compile(r"^qcustomplot\.h$"): {"widgets"},
}
# Files compiled for an instruction set: a template of the standard library instantiated there could
# replace the plain one everywhere and crash on a lesser CPU.
ISA_FOLDERS = ("engine/kernels/avx2/", "engine/kernels/avx512/", "engine/kernels/vector/")
ISA_SYSTEM = {"cstdint", "cstddef", "immintrin.h"}
ISA_OWN = re.compile(r"^engine/kernels/((kernel_table|tables|integer_entries)\.h$|(avx2|avx512|vector)/)")

MAX_LINES = 800

# (folders it holds for, what is looked for, why it is refused). Comments and strings count, except
# where the pattern asks for a call.
WORDS = [
    (("engine/", "widgets/", "app/"),
     re.compile(r"torch::jit::load|torch::load\s*\(|\bpickle_load\b|torch::pickle"),
     "reads pickles: opening a model must never execute what it holds"),
    (("engine/", "widgets/", "app/"), re.compile(r"(?<![\w.>:])(?:std::|::)?(?:system|popen)\s*\("),
     "starts a shell"),
    (("engine/",), re.compile(r"\bstd::(?:cout|cerr|clog)\b|(?<!\w)(?:std::)?(?:f|v|vf)?printf\s*\(|"
                              r"(?<![\w.>])(?:std::)?(?:puts|perror)\s*\("),
     "prints; the engine answers with values"),
    (("engine/",), re.compile(r"(?<![\w.>:])(?:std::|::)?(?:exit|_exit|quick_exit|abort)\s*\(|"
                              r"\bstd::terminate\b"),
     "ends the process; the engine answers with values"),
    (("widgets/",), re.compile(r"\bQ(?:Message|Input)(?:Box|Dialog)\b|\bQFileDialog\b"),
     "opens a dialog; only app/ does"),
    (("app/",), re.compile(r"(?i:dialog|box)\w*(?:\.|->)exec\s*\("),
     "a dialog that blocks; use open()"),
]
SQL = re.compile(r'"\s*(?:SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE|PRAGMA)\b')

# Put together so that this file does not name them itself.
FOREIGN = [
    (re.compile(r"(?<![\w.~*$}/])/(?:(?:wo" r"rk|ro" r"ot|tm" r"p)/\w|ho" r"me/(?!somebody\b)\w)"),
     "a path of one machine"),
    (re.compile(r"py" r"pi\.org|pythonho" r"sted|deb\.deb" r"ian|archive\.ubu" r"ntu|huggingface\.co" r"/api"),
     "the host of a registry"),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SOURCE_ENDS = (".h", ".cpp", ".inc", ".cu", ".cuh")


def component_of(path):
    """"engine/io/gguf.h" -> "io"; "engine/jobs/api/x.h" -> "jobs/api"; None outside the product."""
    parts = path.split("/")
    if parts[0] == "widgets" and len(parts) > 1:
        return "widgets"
    if parts[0] == "app" and len(parts) > 2:
        return "/".join(parts[:2])
    if parts[0] == "engine" and len(parts) > 2:
        return "/".join(parts[1:3]) if parts[1] == "jobs" else parts[1]
    return None


def check_own_include(path, component, included):
    """Includes written from the root of the repository."""
    target = component_of(included)
    if target is None:
        # Beside the file itself (moc output, generated ui headers) or a third party's in quotes.
        return None if "/" not in included else f'"{included}" is in no folder of the product'
    if target == component or (path, target) in EXCEPTIONS:
        pass
    elif target not in ALLOWED[component]:
        return f"{component} must not include {target}"
    name = os.path.basename(included)
    if target == "runtime" and name.startswith("torch_") and not may_see_torch(path, component):
        return f"{name} brings libtorch's headers, which may not be seen here"
    return None


def may_see_torch(path, component):
    if component not in TORCH_FOLDERS:
        return False
    is_door = component == "runtime" and os.path.basename(path).startswith("torch_")
    return path.endswith(".cpp") or is_door


def check_system_include(path, component, included):
    if TORCH_HEADER.match(included) and not may_see_torch(path, component):
        return f"<{included}>: libtorch's headers may not be seen here"
    if QT_HEADER.match(included) and path.startswith("engine/"):
        return f"<{included}>: no Qt under engine/"
    if QT_HEADER.match(included) and component == "app/cli":
        return f"<{included}>: no Qt in the command line"
    for pattern, folders in DOORS.items():
        if pattern.match(included) and component not in folders:
            return f"<{included}> belongs to {', '.join(sorted(folders))} alone"
    return None


def check_isa_include(own, system):
    if system is not None and system not in ISA_SYSTEM:
        return f"<{system}> in a file that is compiled for an instruction set"
    if own is not None and not ISA_OWN.match(own):
        return f'"{own}" in a file that is compiled for an instruction set'
    return None


def check_source(path, text):
    """Yields (line, breach) of one source file."""
    component = component_of(path)
    lines = text.split("\n")
    if len(lines) > MAX_LINES + 1:
        yield 1, f"{len(lines) - 1} lines; {MAX_LINES} is the limit"
    if component not in ALLOWED:
        if component is not None:
            yield 1, f"the folder {component} is not in the rules of check_architecture.py"
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            own, system = match.groups()
            breaches = [check_own_include(path, component, own) if own
                        else check_system_include(path, component, system)]
            # The headers that such a file may include are held to the same.
            if path.startswith(ISA_FOLDERS) or ISA_OWN.match(path):
                breaches.append(check_isa_include(own, system))
            for breach in filter(None, breaches):
                yield number, breach
            continue
        code = re.sub(r"//.*", "", line)
        for folders, pattern, why in WORDS:
            if path.startswith(folders) and pattern.search(code):
                yield number, f"'{pattern.search(code).group(0).strip()}' {why}"
        if component != "store" and SQL.search(code):
            yield number, "SQL outside engine/store"


def check_foreign(text):
    for number, line in enumerate(text.split("\n"), 1):
        for pattern, what in FOREIGN:
            if pattern.search(line):
                yield number, f"names {what}: {pattern.search(line).group(0)}"


def tracked_files(root):
    """What git knows, or every file outside the build folders where there is no git."""
    try:
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others",
                                 "--exclude-standard"], capture_output=True, check=True)
        return sorted(name for name in listed.stdout.decode().split("\0") if name)
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(root):
            folders[:] = [f for f in folders if f not in (".git", "build", "out", "__pycache__")]
            found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
        return sorted(found)


def check_tree(root):
    """Yields (path, line, breach)."""
    for path in tracked_files(root):
        full = os.path.join(root, path)
        if os.path.islink(full) or not os.path.isfile(full):
            continue
        with open(full, "rb") as file:
            content = file.read()
        if b"\0" in content:
            continue
        text = content.decode("utf-8", errors="replace")
        for number, breach in check_foreign(text):
            yield path, number, breach
        if path.endswith(SOURCE_ENDS) and path.split("/")[0] in ("engine", "widgets", "app", "tests"):
            for number, breach in check_source(path, text):
                yield path, number, breach


def main():
    breaches = list(check_tree(os.path.abspath(sys.argv[1])))
    for path, number, breach in breaches:
        print(f"{path}:{number}: {breach}")
    if breaches:
        print(f"{len(breaches)} breaches of the architecture rules")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
