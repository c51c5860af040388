#!/usr/bin/python3
"""check_symbols.py must see every way out of the core in a real archive, and none where none is."""

import pathlib
import subprocess
import tempfile
import unittest

import check_symbols


def broken_of(sources):
    """Compiles {file name: text} into an archive. Returns the names that are not allowed."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        objects = []
        for name, text in sources.items():
            (place / name).write_text(text)
            objects.append(f"{name}.o")
            subprocess.run(["g++", "-std=c++20", "-O1", "-c", name, "-o", objects[-1]],
                           cwd=place, check=True)
        subprocess.run(["ar", "rcs", "libx.a", *objects], cwd=place, check=True)
        return [name for _, name, _ in check_symbols.check(place / "libx.a")[1]]


class Archive(unittest.TestCase):
    def test_containers_strings_and_memory_are_allowed(self):
        self.assertEqual(broken_of({"a.cpp": """
            #include <cmath>
            #include <cstring>
            #include <map>
            #include <memory>
            #include <string>
            #include <vector>
            namespace copal { int helper(int); }
            struct B { virtual ~B() = default; };
            struct D final : B {};
            std::map<std::string, std::vector<int>> table;
            int f(const char* s, double x) {
              table[s].push_back(static_cast<int>(std::sqrt(x)));
              std::unique_ptr<B> b = std::make_unique<D>();
              return copal::helper(static_cast<int>(std::strlen(s)));
            }""", "b.cpp": "namespace copal { int helper(int x) { return x; } }\n"}), [])

    def test_every_way_out_is_caught(self):
        for name, text in {
                "write": "#include <unistd.h>\nlong f() { return write(1, \"x\", 1); }",
                "open": "#include <fcntl.h>\nint f() { return open(\"x\", O_RDONLY); }",
                "socket": "#include <sys/socket.h>\nint f() { return socket(1, 1, 0); }",
                "getenv": "#include <cstdlib>\nchar* f() { return std::getenv(\"x\"); }",
                "rand": "#include <cstdlib>\nint f() { return std::rand(); }",
                "time": "#include <ctime>\nlong f() { return std::time(nullptr); }",
                "clock_gettime": "#include <ctime>\nlong f() { timespec t; "
                                 "clock_gettime(CLOCK_REALTIME, &t); return t.tv_sec; }",
                "pthread_create": "#include <pthread.h>\nint f(void* (*g)(void*)) { pthread_t t; "
                                  "return pthread_create(&t, nullptr, g, nullptr); }",
                "log": "#include <cmath>\ndouble f(double x) { return std::log(x); }",
                "steady_clock": "#include <chrono>\nauto f() { "
                                "return std::chrono::steady_clock::now(); }",
                "random_device": "#include <random>\nunsigned f() { "
                                 "return std::random_device{}(); }",
                "stream": "#include <fstream>\nvoid f() { std::ofstream file(\"x\"); }",
                "cout": "#include <iostream>\nvoid f() { std::cout << 1; }",
                "abort": "#include <cstdlib>\nvoid f() { std::abort(); }",
        }.items():
            with self.subTest(name=name):
                found = broken_of({"a.cpp": text})
                self.assertTrue(found)
                self.assertTrue(any(name in symbol or name in ("stream", "cout")
                                    for symbol in found), found)

    def test_a_function_that_nobody_defines_is_caught(self):
        self.assertEqual(
            broken_of({"a.cpp": "namespace copal { int gone(); int f() { return gone(); } }"}),
            ["copal::gone()"])

    def test_only_the_assertion_prints(self):
        text = "#include <cstdlib>\nvoid f() { std::abort(); }"
        self.assertEqual(broken_of({"assert.cpp": text}), [])
        self.assertTrue(broken_of({"other.cpp": text}))

    def test_only_sha256_asks_openssl(self):
        text = 'extern "C" int SHA256_Init(void*);\nint f() { return SHA256_Init(nullptr); }'
        self.assertEqual(broken_of({"sha256.cpp": text}), [])
        self.assertEqual(broken_of({"other.cpp": text}), ["SHA256_Init"])
        self.assertTrue(broken_of({"sha256.cpp": text.replace("SHA256_Init", "SSL_new")}))


if __name__ == "__main__":
    unittest.main()
