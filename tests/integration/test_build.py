"""The layer as `sam build` makes it: for Lambda's Python and processor, whatever machine builds it."""

from pathlib import Path

from local.template import ROOT

AARCH64 = 183
"""ELF's number for the processor, at byte 18 of a shared object."""


def test_wheels_are_for_lambda(lambda_layer: Path) -> None:
    wheels = list(lambda_layer.glob("*.dist-info/WHEEL"))
    pinned = [line for line in (ROOT / "shared/requirements.txt").read_text().splitlines() if "==" in line]
    assert len(wheels) == len(pinned)
    for wheel in wheels:
        tags = [line.removeprefix("Tag: ") for line in wheel.read_text().splitlines() if line.startswith("Tag: ")]
        assert any(tag.endswith("-none-any") or ("cp313" in tag and "aarch64" in tag) for tag in tags), tags


def test_what_is_compiled_is_for_arm64(lambda_layer: Path) -> None:
    compiled = list(lambda_layer.rglob("*.so"))
    assert compiled
    for library in compiled:
        assert int.from_bytes(library.read_bytes()[18:20], "little") == AARCH64
        assert "cpython-313-aarch64" in library.name


def test_the_package_is_in_it(lambda_layer: Path) -> None:
    source = {path.name for path in (ROOT / "shared/lockstep").glob("*.py")}
    assert {path.name for path in (lambda_layer / "lockstep").glob("*.py")} == source
    assert not list(lambda_layer.rglob("*.pyc"))
    assert not (lambda_layer / "bin").exists()
