#!/usr/bin/env python3
"""Resources are what the code and the desktop expect."""

import os
import re
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RESOURCES = os.path.join(ROOT, "resources")
APP_ID = "org.paretostudio.ParetoStudio"


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


class Resources(unittest.TestCase):
    def test_icons_are_svg(self):
        icons = [name for name in os.listdir(os.path.join(RESOURCES, "icons"))]
        self.assertIn("pareto-studio.svg", icons)
        for name in icons:
            root = ElementTree.fromstring(read(RESOURCES, "icons", name))
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg", name)
            self.assertIn("viewBox", root.attrib, name)

    def test_every_icon_of_the_actions_exists(self):
        table = read(ROOT, "app", "studio", "actions.cpp")
        # {id, menu, text, shortcut, icon, checkable}
        rows = re.findall(r'\{"[\w.]+", "\w+", .*, "([^"]*)",\s*(?:true|false)\}', table)
        self.assertGreater(len(rows), 20)
        for name in filter(None, rows):
            self.assertTrue(os.path.exists(os.path.join(RESOURCES, "icons", name + ".svg")), name)

    def test_metainfo_and_desktop_file_agree(self):
        component = ElementTree.fromstring(read(RESOURCES, APP_ID + ".metainfo.xml"))
        self.assertEqual(component.findtext("id"), APP_ID)
        self.assertEqual(component.findtext("project_license"), "GPL-3.0-or-later")
        self.assertEqual(component.findtext("launchable"), APP_ID + ".desktop")
        desktop = dict(line.split("=", 1)
                       for line in read(RESOURCES, APP_ID + ".desktop").splitlines() if "=" in line)
        self.assertEqual(desktop["Name"], component.findtext("name"))
        self.assertEqual(desktop["Exec"].split()[0], component.findtext("provides/binary"))
        self.assertTrue(os.path.exists(os.path.join(RESOURCES, "icons", desktop["Icon"] + ".svg")))

    def test_licence_is_whole(self):
        text = read(ROOT, "LICENSE")
        self.assertIn("GNU GENERAL PUBLIC LICENSE\n                       Version 3", text)
        self.assertIn("END OF TERMS AND CONDITIONS", text)

    def test_documents_name_existing_files(self):
        for document in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"):
            for target in re.findall(r"\]\(([^)#]+)\)", read(ROOT, document)):
                if "://" not in target:
                    self.assertTrue(os.path.exists(os.path.join(ROOT, target)),
                                    f"{document}: {target}")


if __name__ == "__main__":
    unittest.main()
