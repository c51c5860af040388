#!/usr/bin/python3
"""Tests of check_joined.py."""

import unittest

import check_joined

HEADER = "namespace copal {\n\ninline constexpr NodeId kOne{10};\nint below(int a);\n\n}\n"
USER = '#include "core/a/bed.h"\n'


def hidden(own, **others):
    texts = {"core/a/bed.h": HEADER, "core/a/user_test.cpp": USER,
             "core/a/own_test.cpp": "namespace copal {\nnamespace {\n" + own
                                    + "\n}  // namespace\n}  // namespace copal\n"}
    texts.update(others)
    return [(path, name, user) for path, name, _, user in check_joined.hidden_names(texts)]


class Joined(unittest.TestCase):
    def test_a_name_of_a_header_that_another_includes_is_hidden(self):
        for own in ("constexpr NodeId kOne{1};", "int kOne() {\n  return 1;\n}", "struct kOne {",
                    "using kOne = int;", "const std::map<int, int> kOne = make();"):
            self.assertEqual(hidden(own), [("core/a/own_test.cpp", "kOne", "core/a/user_test.cpp")],
                             own)
        self.assertEqual(len(hidden("bool below(double a, double b) {\n  return a < b;\n}")), 1)

    def test_through_another_header_too(self):
        found = hidden("constexpr int kOne = 1;", **{
            "core/a/user_test.cpp": '#include "core/a/more.h"\n',
            "core/a/more.h": '#include "core/a/bed.h"\n#include "core/a/more.h"\n'})
        self.assertEqual(len(found), 1)

    def test_other_names_and_inner_ones_are_not(self):
        self.assertEqual(hidden("constexpr NodeId kTwo{1};"), [])
        self.assertEqual(hidden("void f() {\n  int kOne = 1;\n}  // kOne{1}"), [])

    def test_where_nobody_else_includes_the_header_it_is_not(self):
        self.assertEqual(hidden("int kOne = 1;", **{"core/a/user_test.cpp": ""}), [])

    def test_other_folders_and_other_namespaces_are_not(self):
        self.assertEqual(hidden("int kOne = 1;", **{"core/a/user_test.cpp": "",
                                                    "core/b/user_test.cpp": USER}), [])
        elsewhere = HEADER.replace("namespace copal", "namespace copal::sim")
        self.assertEqual(hidden("int kOne = 1;", **{"core/a/bed.h": elsewhere}), [])


if __name__ == "__main__":
    unittest.main()
