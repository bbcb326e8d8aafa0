# SPDX-License-Identifier: Apache-2.0
"""docs/ARCHITECTURE.md: each file of its tables defines the function; its layers are those that `make layers` holds."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs/ARCHITECTURE.md").read_text()


def defines(text, name):
    """Is a function of that name defined at the outer level of a C file?"""
    return re.search(rf"^[a-z][^;{{}}()=#]*\b{name}\([^;{{}}]*\)\n{{", text, re.M) is not None


class Architecture(unittest.TestCase):
    def rows(self):
        table = DOC.split("<!-- where table:")[1].split("<!-- end of where table -->")[0]
        for line in table.splitlines():
            cells = [c.strip() for c in line.strip("|").split("|")]
            if len(cells) == 3 and cells[2].startswith("`"):
                yield cells[0], re.findall(r"`(\w+)`", cells[1]), cells[2].strip("`")

    def test_functions_are_where_the_table_says(self):
        rows = list(self.rows())
        self.assertGreaterEqual(len(rows), 40)
        for what, functions, path in rows:
            self.assertTrue(functions, what)
            for name in functions:
                with self.subTest(what=what, function=name):
                    self.assertTrue(defines((ROOT / path).read_text(), name), f"{path} does not define {name}()")

    def test_a_call_or_a_prototype_is_no_definition(self):
        self.assertTrue(defines("static int f(int a,\n             int b)\n{\n", "f"))
        self.assertFalse(defines("int f(int a);\n", "f"))
        self.assertFalse(defines("int g(void)\n{\n    return f(1);\n}\n", "f"))

    def test_layers(self):
        allow = re.search(r"^ALLOW = ({.*?^})", (ROOT / "scripts/layers.sh").read_text(), re.M | re.S).group(1)
        rooms = {room.split("/")[0] for room in eval(allow)}
        picture = DOC.split("## Layers")[1].split("```")[1]
        for room in rooms:
            self.assertRegex(picture, rf"(?m)(^ |  ){room} {{2,}}[a-z]", f"{room}/ is not in the picture")

    def test_named_files_are_there(self):
        rooms = "|".join(sorted({p.name for p in ROOT.iterdir() if p.is_dir()}))
        for path in re.findall(rf"`((?:{rooms})/[\w/]+\.(?:c|h|def|py|sh))`", DOC):
            with self.subTest(path=path):
                self.assertTrue((ROOT / path).exists(), f"{path} is not there")


if __name__ == "__main__":
    unittest.main()
