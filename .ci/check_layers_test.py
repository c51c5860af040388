#!/usr/bin/python3
"""Each rule of check_layers.py must catch what it is there for, and leave alone what is allowed."""

import unittest

import check_layers

CODE = "core/node/node.cpp"
TEST = "core/node/node_test.cpp"


class Includes(unittest.TestCase):
    def broken(self, path, included):
        return check_layers.check_file(path, f'#include "{included}"\n')

    def test_arrows_that_point_up_are_caught(self):
        for path, included in [
                ("core/base/hash.h", "core/ports/random.h"),
                ("core/base/hash.h", "core/protocol/message.h"),
                ("core/ports/clock.h", "core/protocol/message.h"),
                ("core/mnode/mnode.h", "core/ports/clock.h"),
                ("core/protocol/message.h", "core/balance/policy.h"),
                ("core/strong/register.h", "core/ownership/horizon.h"),
                ("core/lease/lease_table.h", "core/membership/join.h"),
                ("core/session/session.h", "core/balance/policy.h"),
                ("core/balance/policy.h", "core/session/session.h"),
                ("core/balance/policy.h", "core/elastic/controller.h"),
                ("core/balance/policy.h", "core/node/node.h"),
                ("core/node/node.h", "scenarios/scenario.h"),
                (TEST, "sim/engine/engine.h"),
                (CODE, "sim/engine/engine.h"),
                (CODE, "prod/asio_transport.h"),
                ("scenarios/scenario.h", "sim/workload/workload.h"),
                ("scenarios/scenario.cpp", "prod/copald.h"),
                ("sim/cloud/cloud.cpp", "prod/asio_transport.h"),
                ("prod/copald.cpp", "sim/cloud/cloud.h"),
                ("sim/cloud/cloud.cpp", "bench/tools.h"),
        ]:
            with self.subTest(path=path, included=included):
                self.assertEqual(len(self.broken(path, included)), 1)

    def test_arrows_of_the_table_are_allowed(self):
        for path, included in [
                ("core/base/prng.h", "core/ports/random.h"),  # the one exception
                ("core/ports/clock.h", "core/base/time.h"),
                ("core/protocol/input.h", "core/ports/application.h"),
                ("core/balance/policy.h", "core/ports/random.h"),
                ("core/balance/policy.h", "core/protocol/message.h"),
                ("core/elastic/wake_on_load.h", "core/balance/health.h"),
                (CODE, "core/elastic/wake_on_load.h"),
                (TEST, "core/testing/fake_cluster.h"),
                ("core/paper_test.cpp", "core/testing/fake_cluster.h"),
                ("scenarios/scenario.h", "core/balance/policy_config.h"),
                ("sim/main.cpp", "scenarios/scenario.h"),
                ("prod/copald.cpp", "core/node/node.h"),
                ("bench/sim_bench.cpp", "sim/engine/engine.h"),
        ]:
            with self.subTest(path=path, included=included):
                self.assertEqual(self.broken(path, included), [])

    def test_code_must_not_include_what_is_for_tests(self):
        self.assertTrue(self.broken("sim/main.cpp", "core/ports/clock_contract.h"))
        self.assertTrue(self.broken(CODE, "core/testing/fake_cluster.h"))
        self.assertFalse(self.broken("sim/clock_test.cpp", "core/ports/clock_contract.h"))

    def test_includes_name_the_path_from_the_root(self):
        self.assertTrue(self.broken(CODE, "node.h"))
        self.assertTrue(self.broken(CODE, "../base/time.h"))

    def test_unknown_folders_are_caught(self):
        self.assertTrue(check_layers.check_file("core/magic/wand.h", "#pragma once\n"))
        self.assertTrue(check_layers.check_file("attic/old.h", "#pragma once\n"))

    def test_an_include_in_a_comment_does_not_count(self):
        self.assertFalse(check_layers.check_file(CODE, '// #include "sim/engine/engine.h"\n'))


class CoreBanList(unittest.TestCase):
    def test_headers_of_a_world_are_caught_also_in_tests(self):
        for header in ["simgrid/s4u.hpp", "boost/asio.hpp", "asio.hpp", "rocksdb/db.h",
                       "openssl/ssl.h", "yaml-cpp/yaml.h", "nlohmann/json.hpp", "thread", "mutex",
                       "atomic", "sys/socket.h", "unistd.h", "coroutine", "zlib.h"]:
            for path in (CODE, TEST):
                with self.subTest(header=header, path=path):
                    self.assertEqual(
                        len(check_layers.check_file(path, f"#include <{header}>\n")), 1)

    def test_only_sha256_takes_its_function_from_openssl(self):
        line = "#include <openssl/sha.h>\n"
        self.assertEqual(check_layers.check_file("core/base/sha256.cpp", line), [])
        for path in (CODE, TEST, "core/base/sha256.h"):
            self.assertTrue(check_layers.check_file(path, line))
        self.assertTrue(check_layers.check_file("core/base/sha256.cpp",
                                                "#include <openssl/ssl.h>\n"))

    def test_headers_that_only_tests_may_use(self):
        for header in ["iostream", "fstream", "ctime", "unordered_map", "stdexcept", "cstdlib"]:
            with self.subTest(header=header):
                line = f"#include <{header}>\n"
                self.assertTrue(check_layers.check_file(CODE, line))
                self.assertEqual(check_layers.check_file(TEST, line), [])
        self.assertTrue(check_layers.check_file(CODE, "#include <random>\n"))

    def test_words_that_are_caught_also_in_tests(self):
        for code in ["auto t = std::chrono::steady_clock::now();",
                     "auto t = std::chrono::system_clock::now();",
                     "clock_gettime(CLOCK_MONOTONIC, &t);",
                     "std::this_thread::sleep_for(1s);",
                     'const char* home = getenv("HOME");',
                     "std::random_device device;",
                     "std::mt19937_64 engine(1);",
                     "std::uniform_int_distribution<int> die(1, 6);",
                     "std::shuffle(v.begin(), v.end(), engine);",
                     "int x = rand();",
                     "co_await transport.send(m);"]:
            for path in (CODE, TEST):
                with self.subTest(code=code, path=path):
                    self.assertTrue(check_layers.check_file(path, code + "\n"))

    def test_words_that_only_tests_may_use(self):
        for code in ["throw 1;", "try {", "} catch (...) {",
                     "std::unordered_map<int, int> map;", "std::function<void()> call;",
                     "auto now = std::time(nullptr);", "time(NULL);", "std::exit(1);",
                     'std::printf("x");', "std::cout << 1;", "thread_local int depth;",
                     "double x = std::log(2.0);", "double x = std::pow(2.0, y);",
                     "double x = sin(2.0);", "double x = ::exp (2.0);", "std::fma(a, b, c);"]:
            with self.subTest(code=code):
                self.assertTrue(check_layers.check_file(CODE, code + "\n"))
                self.assertEqual(check_layers.check_file(TEST, code + "\n"), [])

    def test_what_merely_looks_alike_is_left_alone(self):
        for code in ["double x = math::log(2.0);", "double x = copal::math::exp(2.0);",
                     "// throw, try and catch are banned", 'COPAL_ASSERT(false && "rand()");',
                     "retry(1);", "catch_up.start();", "trace.log(1);", "std::sqrt(2.0);",
                     "operand(1);", "Duration time(1);", "const TimePoint time = now.mono;",
                     "next_time(0);", "/* std::cout */", "int apostrophe = 1'000'000;"]:
            with self.subTest(code=code):
                self.assertEqual(check_layers.check_file(CODE, code + "\n"), [])


class Arithmetic(unittest.TestCase):
    def test_what_reaches_a_trace_uses_our_own_functions(self):
        for path in ("sim/workload/sizes.cpp", "scenarios/scenario.cpp"):
            for code in ["double x = std::log(2.0);", "double x = pow(2.0, 3.0);",
                         "std::mt19937 engine;", "std::exponential_distribution<> d;",
                         "for (int x : std::views::iota(1, 3)) {}", "#include <random>"]:
                with self.subTest(path=path, code=code):
                    self.assertTrue(check_layers.check_file(path, code + "\n"))
            self.assertEqual(check_layers.check_file(path, "throw std::runtime_error(x);\n"), [])

    def test_tests_may_compare_with_the_library(self):
        self.assertEqual(
            check_layers.check_file("sim/theory/queue_test.cpp", "std::log(2.0);\n"), [])


class Table(unittest.TestCase):
    def test_every_layer_stands_on_layers_only(self):
        for layer, below in check_layers._DIRECT.items():
            for name in below:
                self.assertIn(name, check_layers._DIRECT, layer)

    def test_no_two_layers_include_each_other(self):
        for layer, allowed in check_layers.ALLOWED.items():
            for other in allowed - {layer}:
                self.assertNotIn(layer, check_layers.ALLOWED[other], (layer, other))


if __name__ == "__main__":
    unittest.main()
