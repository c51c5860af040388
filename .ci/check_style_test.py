#!/usr/bin/python3
"""Each rule of check_style.py must catch what it is there for, and leave alone what is allowed."""

import unittest

import check_style


def check(path, text, others=()):
    return [what for _, what in check_style.check_file(path, text, lambda name: name in others)]


class Form(unittest.TestCase):
    def test_long_lines_are_caught_and_addresses_are_not(self):
        self.assertEqual(check("sim/a.cpp", "x" * 100 + "\n"), [])
        self.assertEqual(check("sim/a.cpp", "x" * 101 + "\n"), ["101 columns, 100 at most"])
        self.assertEqual(check("sim/a.cpp", "// https://example.org/" + "x" * 99 + "\n"), [])

    def test_long_files_are_caught(self):
        self.assertEqual(check("sim/a.cpp", "\n" * 600), [])
        self.assertEqual(check("sim/a.cpp", "\n" * 601), ["601 lines, 600 at most"])

    def test_headers_start_with_pragma_once(self):
        self.assertEqual(check("sim/a.h", "// Why.\n#pragma once\n"), [])
        self.assertTrue(check("sim/a.h", "#ifndef A_H\n#define A_H\n#endif\n"))
        self.assertTrue(check("sim/a.h", "#include <vector>\n#pragma once\n"))
        self.assertTrue(check("sim/a.h", "#pragma once\nusing namespace std;\n"))

    def test_own_header_comes_first(self):
        good = '// What.\n#include "sim/a.h"\n\n#include <vector>\n'
        bad = '#include <vector>\n\n#include "sim/a.h"\n'
        for path in ("sim/a.cpp", "sim/a_test.cpp", "sim/a_bench.cpp"):
            self.assertEqual(check(path, good, ["sim/a.h"]), [])
            self.assertTrue(check(path, bad, ["sim/a.h"]))
            self.assertEqual(check(path, bad), [])

    def test_a_todo_has_a_kind(self):
        word = "TO" + "DO"
        self.assertEqual(check("sim/a.cpp", f"// {word}(perf): reuse the buffer.\n"), [])
        for comment in (f"// {word}: x", f"// {word}(me): x", f"// {word}(perf)", "// FIX" + "ME"):
            self.assertTrue(check("sim/a.cpp", comment + "\n"), comment)

    def test_names_of_one_machine_are_caught(self):
        for place in ("/wor" + "k/main", "/tmp/" + "build-x", "https://py" + "pi.org/simple"):
            for path in ("docs/a.md", "sim/a.cpp", ".ci/run"):
                self.assertTrue(check(path, place + "\n"), place)
        self.assertEqual(check("docs/a.md", "the network/worker and /tmp\n"), [])

    def test_ends_of_lines(self):
        self.assertTrue(check("sim/a.cpp", "int a; \n"))
        self.assertTrue(check("sim/a.cpp", "int a;"))


def cpp_lines(text):
    return [lines for _, lines in check_style.cpp_functions(text)]


class Functions(unittest.TestCase):
    def test_long_functions_are_caught_where_they_start(self):
        body = "  f();\n" * 68
        self.assertEqual(check("sim/a.cpp", "void g() {\n" + body + "}\n"), [])
        found = check_style.check_file(
            "sim/a.cpp", "int a;\n\nvoid g() {\n" + body + "  f();\n}\n", lambda name: False)
        self.assertEqual(found, [(3, "function of 71 lines, 70 at most")])

    def test_every_kind_of_function_is_measured(self):
        for head in ["void g() {", "int A::g(int a) const noexcept {", "TEST(Subject, Fact) {",
                     "auto g() -> std::vector<int> {", "template <class T>\nvoid g(T t) {",
                     "A::A() : a_(1), b_(2) {", "bool operator==(const A& a) {",
                     "struct B g(struct B b) {", "static constexpr void f(auto& self) {"]:
            with self.subTest(head=head):
                lines = head.count("\n") + 3
                self.assertEqual(cpp_lines(head + "\n  x();\n}\n"), [lines])

    def test_what_holds_functions_is_none(self):
        self.assertEqual(cpp_lines("namespace a {\nnamespace {\nvoid f() {\n}\n}  // n\n}\n"), [2])
        self.assertEqual(
            cpp_lines("class A final : public B<int> {\n public:\n  int f() { return 1; }\n"
                      "  struct C {\n    void g() {\n    }\n  };\n};\n"), [1, 2])
        self.assertEqual(cpp_lines("template <class T>\nclass A {\n  T t{};\n};\n"), [])
        self.assertEqual(cpp_lines("enum class E : int { kA, kB };\nint x[] = {1, 2};\n"), [])
        self.assertEqual(cpp_lines('extern "C" {\nint f();\nint g() {\n}\n}\n'), [2])
        self.assertEqual(
            cpp_lines("const A kTable[] = {{1, {2}},\n {3, {4}}};\nint f() {\n}\n"), [2])

    def test_braces_in_comments_strings_and_macros_do_not_count(self):
        self.assertEqual(cpp_lines("// {\nvoid f() {\n  /* } */ g(\"}\", '}');\n}\n"), [3])
        self.assertEqual(cpp_lines("#define OPEN {\nvoid f() {\n}\n"), [2])
        self.assertEqual(cpp_lines('void f() {\n  g(R"(}}\n})");\n}\n'), [4])

    def test_python_and_shell_functions_are_measured(self):
        self.assertEqual(
            check("a.py", "def f():\n" + "    x = 1\n" * 70), ["function of 71 lines, 70 at most"])
        self.assertEqual(
            check("a.sh", "f() {\n" + "  :\n" * 69 + "}\n"), ["function of 71 lines, 70 at most"])


if __name__ == "__main__":
    unittest.main()
