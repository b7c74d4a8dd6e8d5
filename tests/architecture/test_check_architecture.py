#!/usr/bin/env python3
"""The checker finds each kind of breach, in small trees made for it, and nothing in clean ones."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_architecture  # noqa: E402


def breaches(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full) or root, exist_ok=True)
            with open(full, "wb" if isinstance(text, bytes) else "w") as file:
                file.write(text)
        return [f"{path}:{line}: {what}"
                for path, line, what in check_architecture.check_tree(root)]


class CheckArchitecture(unittest.TestCase):
    def assertBreach(self, path, text, part):
        found = breaches({path: text})
        self.assertEqual(len(found), 1, found)
        self.assertIn(part, found[0])

    def assertClean(self, path, text):
        self.assertEqual(breaches({path: text}), [])

    def test_direction_of_folders(self):
        self.assertBreach("engine/core/a.h", '#include "engine/io/gguf.h"\n',
                          "core must not include io")
        self.assertBreach("engine/spec/a.h", '#include "engine/layout/describe.h"\n',
                          "spec must not include layout")
        self.assertBreach("engine/jobs/api/a.h", '#include "engine/jobs/run/b.h"\n',
                          "jobs/api must not include jobs/run")
        self.assertBreach("engine/jobs/run/a.cpp", '#include "engine/store/store.h"\n',
                          "jobs/run must not include store")
        self.assertBreach("widgets/plots/a.cpp", '#include "engine/store/store.h"\n',
                          "widgets must not include store")
        self.assertBreach("widgets/plots/a.cpp", '#include "app/studio/runs.h"\n',
                          "widgets must not include app/studio")
        self.assertBreach("app/studio/a.cpp", '#include "engine/jobs/run/b.h"\n',
                          "app/studio must not include jobs/run")
        self.assertBreach("app/studio/a.cpp", '#include "app/cli/console.h"\n',
                          "app/studio must not include app/cli")
        self.assertBreach("engine/core/a.h", '#include "tests/support/b.h"\n',
                          "in no folder of the product")
        self.assertClean("engine/layout/a.cpp",
                         '#include "engine/spec/layers.h"\n#include "engine/layout/describe.h"\n')

    def test_exceptions_hold_for_one_file(self):
        text = '#include "engine/io/model_files.h"\n'
        self.assertClean("app/studio/model_opener.cpp", text)
        self.assertBreach("app/studio/other.cpp", text, "app/studio must not include io")

    def test_unknown_folder(self):
        self.assertBreach("engine/magic/a.h", "int x;\n", "not in the rules")

    def test_qt_and_torch(self):
        self.assertBreach("engine/core/a.h", "#include <QString>\n", "no Qt")
        self.assertBreach("engine/core/a.h", "#include <QtCore/QString>\n", "no Qt")
        self.assertBreach("app/cli/a.cpp", "#include <QString>\n", "no Qt")
        self.assertClean("engine/core/a.h", "#include <queue>\n")
        self.assertBreach("engine/io/a.cpp", "#include <ATen/core/Tensor.h>\n", "libtorch")
        self.assertBreach("engine/models/a.h", "#include <torch/torch.h>\n", "libtorch")
        self.assertClean("engine/models/a.cpp", "#include <ATen/core/Tensor.h>\n")
        self.assertClean("engine/runtime/torch_bridge.h", "#include <ATen/core/Tensor.h>\n")
        self.assertBreach("engine/models/a.h", '#include "engine/runtime/torch_bridge.h"\n',
                          "brings libtorch")
        self.assertClean("engine/models/a.cpp", '#include "engine/runtime/torch_bridge.h"\n')

    def test_doors(self):
        self.assertBreach("engine/io/a.cpp", "#include <sqlite3.h>\n", "belongs to store")
        self.assertClean("engine/store/a.cpp", "#include <sqlite3.h>\n")
        self.assertBreach("engine/io/a.cpp", "#include <nlohmann/json.hpp>\n", "belongs to core")
        self.assertBreach("engine/io/a.cpp", 'auto q = "SELECT 1";\n', "SQL")

    def test_instruction_set_files(self):
        self.assertBreach("engine/kernels/avx2/a.cpp", "#include <vector>\n", "<vector>")
        self.assertBreach("engine/kernels/avx2/a.cpp", '#include "engine/core/dtype.h"\n', "dtype.h")
        self.assertClean("engine/kernels/avx2/a.cpp",
                         '#include <immintrin.h>\n#include "engine/kernels/kernel_table.h"\n')
        self.assertBreach("engine/kernels/kernel_table.h", "#include <vector>\n", "<vector>")
        self.assertClean("engine/kernels/choose.cpp", "#include <vector>\n")

    def test_words(self):
        self.assertBreach("engine/io/a.cpp", "auto m = torch::jit::load(p);\n", "pickles")
        self.assertBreach("engine/io/a.cpp", "auto v = torch::pickle_load(b);\n", "pickles")
        self.assertBreach("engine/io/a.cpp", "std::cout << 1;\n", "prints")
        self.assertBreach("engine/io/a.cpp", 'printf("x");\n', "prints")
        self.assertClean("engine/io/a.cpp", "std::snprintf(b, n, f); // printf(x)\n")
        self.assertBreach("engine/io/a.cpp", "std::exit(1);\n", "ends the process")
        self.assertClean("engine/io/a.cpp", "job.abort(); onExit(1);\n")
        self.assertBreach("app/cli/a.cpp", "std::system(c);\n", "shell")
        self.assertBreach("app/cli/a.cpp", "::popen(c, m);\n", "shell")
        self.assertClean("app/studio/a.cpp", "QLocale::system(); QFileSystem(c);\n")
        self.assertBreach("widgets/plots/a.cpp", "QMessageBox::warning(w);\n", "dialog")
        self.assertBreach("app/studio/a.cpp", "dialog->exec();\n", "blocks")

    def test_length(self):
        self.assertBreach("engine/io/a.cpp", "\n" * 801, "801 lines")
        self.assertClean("engine/io/a.cpp", "\n" * 800)

    def test_foreign_names(self):
        folder = "/" + "root"
        self.assertBreach("README.md", f"see {folder}/x\n", "one machine")
        self.assertBreach("dev", "curl https://py" + "pi.org\n", "registry")
        self.assertBreach("README.md", "see /ho" + "me/ann/x\n", "one machine")
        self.assertClean("README.md", "see ~/x, $TMPDIR/y and /ho" + "me/somebody/models\n")
        self.assertClean("tests/golden/a.bin", b"\0" + f"{folder}/x".encode())


if __name__ == "__main__":
    unittest.main()
