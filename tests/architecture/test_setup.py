#!/usr/bin/env python3
"""The set-up scripts: samples are checked, complete or absent; packages are asked of dpkg alone."""

import gzip
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SETUP = os.path.join(ROOT, "resources", "setup")
sys.path.insert(0, SETUP)
import onnx_weights  # noqa: E402
import prepare_samples  # noqa: E402


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, payload):
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def onnx_file(shape, values):
    raw = struct.pack(f"<{len(values)}f", *values)
    tensor = b"".join(field(1, extent) for extent in shape)
    tensor += field(2, 1) + field(8, b"w") + field(9, raw)
    node = field(1, b"x") + field(1, b"w") + field(3, b"/encoder/a/MatMul") + field(4, b"MatMul")
    return field(7, field(1, node) + field(5, tensor))


class OnnxReader(unittest.TestCase):
    def read(self, content):
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            return onnx_weights.read_onnx(file.name)

    def test_reads_tensors_and_nodes(self):
        tensors, nodes = self.read(onnx_file([2, 3], [1, 2, 3, 4, 5, 6]))
        self.assertEqual(list(tensors["w"].values), [1, 2, 3, 4, 5, 6])
        turned = tensors["w"].transposed()
        self.assertEqual((turned.shape, list(turned.values)), ([3, 2], [1, 4, 2, 5, 3, 6]))
        self.assertEqual((nodes[0].name, nodes[0].operator, nodes[0].inputs),
                         ("/encoder/a/MatMul", "MatMul", ["x", "w"]))

    def test_refuses_damage(self):
        whole = onnx_file([2, 3], [1, 2, 3, 4, 5, 6])
        for content in (whole[:-5], onnx_file([2, 4], [1, 2, 3]), b"\xff" * 40, b"\x0b"):
            with self.assertRaises(onnx_weights.OnnxError):
                self.read(content)


class Samples(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.folder = os.path.join(self.place.name, "samples")
        os.makedirs(self.folder)
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
            file.write(b"some text\n")
        self.path = os.path.join(self.place.name, "demo-1.0-py3-none-any.whl")
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("demo/a.txt.gz", packed.getvalue())
            archive.writestr("demo/b.json", "{}")
        with open(self.path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        self.archive = {"package": "demo==1.0", "file": os.path.basename(self.path), "bytes": 1,
                        "sha256": digest}
        self.sample = {"name": "demo", "set": "core", "archive": "demo", "licence": "MIT",
                       "about": "for this test",
                       "members": {"demo/a.txt.gz": "a.txt", "demo/b.json": "sub/b.json"}}

    def prepare(self):
        prepare_samples.prepare(self.sample, self.archive, self.path, self.folder)

    def ready(self):
        return prepare_samples.is_prepared(self.folder, self.sample, self.archive)

    def test_complete_sample(self):
        self.assertFalse(self.ready())
        self.prepare()
        self.assertTrue(self.ready())
        with open(os.path.join(self.folder, "demo", "a.txt"), "rb") as file:
            self.assertEqual(file.read(), b"some text\n")
        self.assertTrue(os.path.exists(os.path.join(self.folder, "demo", "sub", "b.json")))

    def test_changed_entry_is_made_anew(self):
        self.prepare()
        self.sample["members"]["demo/b.json"] = "c.json"
        self.assertFalse(self.ready())
        self.prepare()
        self.assertTrue(self.ready())
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "demo"))),
                         [".prepared.json", "a.txt", "c.json"])

    def test_failure_leaves_nothing(self):
        self.sample["members"]["demo/none"] = "none"
        with self.assertRaises(prepare_samples.SetupError) as caught:
            self.prepare()
        self.assertIn("demo/none", str(caught.exception))
        self.assertEqual(os.listdir(self.folder), [])

    def test_wrong_archive_is_refused(self):
        self.archive["sha256"] = "0" * 64
        downloads = os.path.join(self.place.name, "downloads")
        os.makedirs(downloads)
        with self.assertRaises(prepare_samples.SetupError) as caught:
            prepare_samples.fetch([self.archive], downloads, self.place.name)
        self.assertIn("not the file that was expected", str(caught.exception))

    def test_leftovers_are_swept(self):
        os.makedirs(os.path.join(self.folder, ".partial-demo-x"))
        prepare_samples.sweep(self.folder)
        self.assertEqual(os.listdir(self.folder), [])


class Catalogue(unittest.TestCase):
    def test_every_sample_names_its_archive(self):
        with open(os.path.join(SETUP, "samples.json"), encoding="utf-8") as file:
            catalogue = json.load(file)
        names = [sample["name"] for sample in catalogue["samples"]]
        self.assertEqual(len(names), len(set(names)))
        for sample in catalogue["samples"]:
            archive = catalogue["archives"][sample["archive"]]
            self.assertRegex(archive["package"], r"^[a-z0-9-]+==[0-9.]+$")
            self.assertRegex(archive["sha256"], r"^[0-9a-f]{64}$")
            for destination in sample["members"].values():
                self.assertFalse(os.path.isabs(destination) or ".." in destination)


class Script(unittest.TestCase):
    """./dev's functions with programs of this test in front of the real ones."""

    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.bin = os.path.join(self.place.name, "bin")
        os.makedirs(self.bin)

    def program(self, name, body):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/bash\n" + body)
        os.chmod(path, 0o755)

    def shell(self, script):
        prelude = f'set -euo pipefail; root="{ROOT}"\n'
        for part in ("common", "packages", "torch"):
            prelude += f'. "{SETUP}/{part}.sh"\n'
        environment = dict(os.environ, PATH=self.bin + ":" + os.environ["PATH"],
                           XDG_CACHE_HOME=os.path.join(self.place.name, "cache"))
        return subprocess.run(["bash", "-c", prelude + script], capture_output=True, text=True,
                              env=environment, stdin=subprocess.DEVNULL, check=False)

    def list_file(self, text):
        path = os.path.join(self.place.name, "list.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_scripts_parse(self):
        scripts = [os.path.join(ROOT, "dev"), os.path.join(ROOT, ".ci", "run")]
        scripts += [os.path.join(SETUP, n) for n in sorted(os.listdir(SETUP)) if n.endswith(".sh")]
        for script in scripts:
            subprocess.run(["bash", "-n", script], check=True)

    def test_missing_packages(self):
        self.program("dpkg-query", 'echo "one installed"; echo "three-b installed"\n'
                                   'echo "four config-files"; exit 1\n')
        names = self.list_file("# comment\none\ntwo   # why\nthree-a|three-b\nfour\n")
        result = self.shell(f'missing_packages "{names}"')
        self.assertEqual((result.returncode, result.stdout.split()), (0, ["two", "four"]))

    def test_installed_packages_ask_nobody(self):
        self.program("dpkg-query", 'echo "one installed"\n')
        self.program("apt-get", "echo called; exit 9\n")
        self.program("sudo", "echo called; exit 9\n")
        result = self.shell(f'install_packages "{self.list_file("one")}"')
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_no_sudo_is_one_sentence(self):
        self.program("dpkg-query", "exit 1\n")
        self.program("id", "echo 1000\n")
        self.program("sudo", "exit 1\n")
        result = self.shell(f'install_packages "{self.list_file("one")}"')
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(result.stderr.strip().split("\n")), 1)
        self.assertIn("dev: These Debian packages are missing", result.stderr)
        self.assertIn("one", result.stderr)

    def test_apt_failure_is_said(self):
        self.program("dpkg-query", "exit 1\n")
        self.program("id", "echo 0\n")
        self.program("apt-get", "exit 100\n")
        result = self.shell(f'install_packages "{self.list_file("one")}"')
        self.assertEqual(result.returncode, 1)
        self.assertIn("could not read its package lists", result.stderr)

    def test_alternatives_take_what_the_distribution_has(self):
        log = os.path.join(self.place.name, "log")
        self.program("dpkg-query", "exit 1\n")
        self.program("id", "echo 0\n")
        self.program("apt-cache", '[[ $2 == old ]]\n')
        self.program("apt-get", f'echo "$@" >>"{log}"\n')
        result = self.shell(f'install_packages "{self.list_file("new|old")}"')
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(log, encoding="utf-8") as file:
            calls = file.read().split("\n")
        self.assertTrue(calls[0].startswith("update"))
        self.assertTrue(calls[1].startswith("install") and calls[1].endswith(" old"), calls)

    def test_half_made_environment_is_not_ready(self):
        result = self.shell('mkdir -p "$venv/lib/python3.99/site-packages/torch/lib"\n'
                            'touch "$venv/lib/python3.99/site-packages/torch/lib/libtorch_cpu.so"\n'
                            'find_torch && echo found; torch_is_ready slim || echo not ready\n'
                            'torch_is_complete || echo not complete')
        self.assertEqual(result.stdout.split("\n")[:3], ["found", "not ready", "not complete"])

    def test_foreign_folder_is_left_alone(self):
        result = self.shell('mkdir -p "$venv"; touch "$venv/mine"; (make_torch slim) || true\n'
                            'ls "$venv"')
        self.assertEqual(result.stdout.strip(), "mine")
        self.assertIn("is in the way", result.stderr)


if __name__ == "__main__":
    unittest.main()
