"""The layer as `sam build` makes it: for Lambda's Python and processor, whatever machine builds it."""

import os
import ssl
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.loaders import Loader

from lighten import ROOTS, SERVICES, NotAsExpectedError, lighten_data, lighten_roots
from local.layer import compiled_for
from local.template import ROOT
from precompile import WHERE_LAYERS_ARE, interpreters, is_version

AARCH64 = 183
"""ELF's number for the processor, at byte 18 of a shared object."""
MEGABYTE = 1_000_000
TARGET = next(filter(is_version, interpreters()), None)
"""A Python of Lambda's version, if there is one on this machine."""


def test_wheels_are_for_lambda(lambda_layer: Path) -> None:
    wheels = list(lambda_layer.glob("*.dist-info/WHEEL"))
    pinned = [
        line for line in (ROOT / "shared/requirements.txt").read_text(encoding="utf-8").splitlines() if "==" in line
    ]
    assert len(wheels) == len(pinned)
    for wheel in wheels:
        tags = [
            line.removeprefix("Tag: ")
            for line in wheel.read_text(encoding="utf-8").splitlines()
            if line.startswith("Tag: ")
        ]
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
    assert not (lambda_layer / "bin").exists()


def test_it_is_small(lambda_layer: Path) -> None:
    assert sum(path.stat().st_size for path in lambda_layer.rglob("*") if path.is_file()) < 40 * MEGABYTE


def test_every_module_is_compiled_for_lambdas_python_where_there_is_one(lambda_layer: Path) -> None:
    modules = lambda_layer.rglob("*.py") if TARGET else ()
    in_tracebacks = {module: f"{WHERE_LAYERS_ARE}/{module.relative_to(lambda_layer)}" for module in modules}
    assert compiled_for(lambda_layer, TARGET or sys.executable) == in_tracebacks


def precompile(layer: Path, *named: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, str(ROOT / "shared/precompile.py"), str(layer), *named]
    return subprocess.run(program, env=environment, capture_output=True, encoding="utf-8", check=False)


def test_without_lambdas_python_it_is_said_that_functions_start_slowly(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "python3.13").symlink_to("/bin/true")  # answers, and is none
    told = precompile(tmp_path, PATH=str(tmp_path), HOME=str(tmp_path))
    assert told.returncode == 0
    assert "no Python 3.13 was found" in told.stdout
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_module_that_cannot_be_compiled_ends_the_build(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x =\n", encoding="utf-8")
    assert precompile(tmp_path, sys.executable, PATH=os.environ["PATH"]).returncode != 0


def client(service: str, region: str, data: Path | None, **config: bool) -> Any:
    session = botocore.session.get_session()
    session.set_credentials("nobody's", "nobody's")
    if data:
        session.register_component("data_loader", Loader([str(data)], include_default_search_paths=False))
    settings = Config(**config)
    return session.create_client(service, region, config=settings)


@pytest.mark.parametrize(
    ("service", "region", "config"),
    [
        *product(
            SERVICES,
            ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"],
            [{}, {"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}],
        )
    ],
)
def test_what_is_left_of_botocores_data_leads_where_the_whole_leads(
    lambda_layer: Path, service: str, region: str, config: dict[str, bool]
) -> None:
    whole, left = (client(service, region, data, **config) for data in (None, lambda_layer / "botocore/data"))
    assert left.meta.endpoint_url == whole.meta.endpoint_url
    assert left.meta.method_to_api_mapping == whole.meta.method_to_api_mapping
    for operation in ("TransactWriteItems", "Query") if service == "dynamodb" else ("GetSecretValue",):
        shapes = [each.meta.service_model.operation_model(operation).output_shape for each in (left, whole)]
        assert shapes[0].members.keys() == shapes[1].members.keys()


def test_no_other_service_is_left(lambda_layer: Path) -> None:
    data = lambda_layer / "botocore/data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == set(SERVICES)


def test_the_authorities_are_amazons(lambda_layer: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(lambda_layer / "botocore/cacert.pem")
    subjects: list[Any] = [each["subject"] for each in context.get_ca_certs()]
    names = {value for subject in subjects for [(name, value)] in subject if name == "commonName"}
    assert names == set(ROOTS)


def test_a_botocore_that_is_laid_out_in_another_way_is_not_lightened(tmp_path: Path) -> None:
    data = tmp_path / "botocore/data/dynamodb/2030-01-01"
    data.mkdir(parents=True)
    (tmp_path / "botocore/cacert.pem").write_text("", encoding="utf-8")
    with pytest.raises(NotAsExpectedError, match="no service-2"):
        lighten_data(tmp_path)
    with pytest.raises(NotAsExpectedError, match="does not have Amazon Root CA 1"):
        lighten_roots(tmp_path)
    assert data.exists()
