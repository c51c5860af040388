"""Checks schema.json and the shipped scenarios with other people's code: python3-jsonschema and
python3-yaml. What it finds right the loader must find right too, so that editors and copal-sim say
the same.

Run: python3 -m unittest discover -s scenarios -p schema_test.py
"""

import copy
import json
import pathlib
import re
import unittest

import jsonschema
import yaml

FOLDER = pathlib.Path(__file__).parent
SCHEMA = json.loads((FOLDER / "schema.json").read_text())


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's idea of plain scalars, as editors have it: 18:00 is no number, yes no boolean."""


CoreLoader.yaml_implicit_resolvers = {}
for pattern, tag, first in (
    (r"^(?:true|false)$", "bool", "tf"),
    (r"^-?(?:0|[1-9][0-9]*)$", "int", "-0123456789"),
    (r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", "float", "-0123456789"),
    (r"^(?:~|null|)$", "null", ["~", "n", ""]),
):
    CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first)
    )


def read(text):
    return yaml.load(text, Loader=CoreLoader)


def problems(tree):
    """The messages of all that is wrong, empty if nothing is."""
    return [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(tree)]


def subschemas(schema):
    """Yields all schemas within a schema, itself included."""
    if not isinstance(schema, dict):
        return
    yield schema
    for key in ("properties", "definitions"):
        for part in schema.get(key, {}).values():
            yield from subschemas(part)
    for key in ("items", "additionalProperties", "propertyNames", "if", "then", "else"):
        yield from subschemas(schema.get(key))
    for key in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(key, []):
            yield from subschemas(part)


def resolved(schema):
    """The schema that a $ref names, with what stands beside it, as editors merge them."""
    while "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**SCHEMA["definitions"][name], **rest}
    return schema


RIGHT = """
duration: 1min
cloud: {hosts: {app: {count: 3}, lb: {}}}
clusters: {shop: {servers: app}, web: {balances: shop, servers: lb}}
application: {service_time: 20ms}
workload: {kind: poisson, rate: 50/s}
"""


class SchemaTest(unittest.TestCase):
    def test_is_a_schema(self):
        jsonschema.Draft7Validator.check_schema(SCHEMA)

    def test_shipped_scenarios_are_valid(self):
        files = sorted(FOLDER.rglob("*.yaml"))
        self.assertGreaterEqual(len(files), 9)
        for file in files:
            with self.subTest(file=file.name):
                self.assertEqual(problems(read(file.read_text())), [])

    def test_small_scenario_is_valid(self):
        self.assertEqual(problems(read(RIGHT)), [])

    def test_mistakes_are_found(self):
        changes = {
            "unknown key": ("count: 3", "conut: 3"),
            "no unit": ("50/s", "50"),
            "wrong unit": ("20ms", "20sec"),
            "zero": ("count: 3", "count: 0"),
            "not whole": ("count: 3", "count: 2.5"),
            "kind": ("poisson", "poison"),
            "key of another kind": ("rate: 50/s", "rate: 50/s, peak_rate: 60/s"),
            "key that the kind needs": ("kind: poisson, rate: 50/s", "kind: poisson"),
            "misspelt cluster": ("balances", "balance"),
            "section": ("application: {service_time: 20ms}\n", ""),
            "parameter": ("workload", "vary: {algorithm: [{name: green, choices: 2}]}\nworkload"),
            "metric": ("workload", "expect: [{metric: p98, below: 1}]\nworkload"),
            "two bounds": (
                "workload",
                "expect: [{metric: error_ratio, below: 1, above: 0}]\nworkload",
            ),
        }
        for name, (right, wrong) in changes.items():
            with self.subTest(mistake=name):
                self.assertIn(right, RIGHT)
                self.assertNotEqual(problems(read(RIGHT.replace(right, wrong, 1))), [])

    def test_defaults_are_valid(self):
        validator = jsonschema.Draft7Validator(SCHEMA)
        count = 0
        for schema in subschemas(SCHEMA):
            merged = copy.deepcopy(resolved(schema))
            if "default" not in merged:
                continue
            default = merged.pop("default")
            count += 1
            with self.subTest(default=default, description=merged.get("description")):
                errors = validator.evolve(schema={**merged, "definitions": SCHEMA["definitions"]})
                # An empty text stands for "none given".
                if default != "":
                    self.assertEqual([e.message for e in errors.iter_errors(default)], [])
        self.assertGreater(count, 50)

    def test_examples_are_valid(self):
        validator = jsonschema.Draft7Validator(SCHEMA)
        for schema in subschemas(SCHEMA):
            merged = resolved(schema)
            for example in merged.get("examples", []):
                with self.subTest(example=example, description=merged.get("description")):
                    errors = validator.evolve(
                        schema={**merged, "definitions": SCHEMA["definitions"]}
                    )
                    self.assertEqual([e.message for e in errors.iter_errors(example)], [])


if __name__ == "__main__":
    unittest.main()
