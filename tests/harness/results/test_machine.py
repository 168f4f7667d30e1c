import platform

from harness.results.machine import facts, versions


def test_the_machine_is_described_without_its_name():
    found = facts()
    assert list(found) == ["cores", "memory_gib", "system", "processor"]
    assert int(found["cores"]) >= 1
    assert found["system"].startswith(platform.system())
    assert all(found.values())
    assert not any(value == platform.node() or "/home" in value for value in found.values())


def test_versions_name_python_and_what_the_harness_stands_on():
    found = versions()
    assert found["python"].endswith(platform.python_version())
    assert {"python", "mosaic-harness", "simpy", "pydantic"} <= found.keys()
