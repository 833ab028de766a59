"""`make verify TABLE=…`: what it checks on a table, what it leaves behind, and what only an AWS account can tell."""

import os

import botocore.session
import pytest
from moto import mock_aws

from local import engine
from local.template import Template
from ops.verify.__main__ import CANNOT_START, NOT_ASKED, main
from ops.verify.checks import Checks
from ops.verify.table import (
    ANYWHERE,
    ON_AWS,
    ONLY_AWS,
    check_conditions_of_statements,
    check_statement,
    check_table,
)
from ops.verify.target import UsageError
from tests.support.serving import alone, ended, serving

MOTOS_OWN = {
    "a transaction that is sent twice with one token is one write",
    "an item of 1,025 bytes takes 2 write units",
    "a transaction that makes an index entry takes 2 write units and 1",
    "a Query of 4 items of 1.5 kB takes 2 read units",
    "TransactGetItems of an item and a missing one takes 4 read units",
}
"""Moto reports flat units, or none, and knows no tokens."""


def keys(client: object, name: str) -> int:
    found = client.scan(TableName=name, Select="COUNT", ConsistentRead=True)  # type: ignore[attr-defined]  # made of data
    return int(found["Count"])


def test_on_an_engine_all_that_it_can_tell_holds_and_the_rest_is_named(
    table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client, checks = engine.client(table), Checks()
    before = keys(client, "lockstep")
    check_table(client, "lockstep", checks)
    assert (checks.failed, checks.held) == ([], 10)
    said = capsys.readouterr().out
    assert all(f"skip {what}: {ONLY_AWS}" in said for what in ON_AWS)
    assert keys(client, "lockstep") == before


def test_on_aws_every_check_is_made_and_what_does_not_hold_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    monkeypatch.setattr("time.sleep", lambda _: None)
    unread = {check_statement, check_conditions_of_statements}  # Moto's parser ends at a second clause, and at MISSING
    readable = [check for check in ANYWHERE if check not in unread]
    monkeypatch.setattr("ops.verify.table.ANYWHERE", readable)
    with mock_aws():
        client = botocore.session.get_session().create_client("dynamodb", "us-east-1")
        client.create_table(**Template().table("deployed"))
        checks = Checks()
        check_table(client, "deployed", checks)
        assert keys(client, "deployed") == 0
    assert set(checks.failed) == MOTOS_OWN
    said = capsys.readouterr().out
    assert "skip" not in said
    assert "note the same token after the cancellation" in said
    assert "the entry was seen" in said


def test_a_table_that_is_not_there_is_wrong_usage(table: str) -> None:
    with pytest.raises(UsageError, match="ResourceNotFoundException"):
        check_table(engine.client(table), "no-such-table", Checks())


def test_no_region_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    assert main(["--table", "lockstep"]) == CANNOT_START
    assert "REGION=us-east-1" in capsys.readouterr().err


def test_make_verify_checks_the_table_beside_the_api(table: str) -> None:
    with serving(AWS_ENDPOINT_URL_DYNAMODB=table) as url:
        given = alone() | {"AWS_ENDPOINT_URL_DYNAMODB": table, "URL": url}
        for named, said in (("lockstep", "ok   the items of these checks are deleted"), (None, NOT_ASKED)):
            environment = given | ({"TABLE": named} if named else {})
            done = ended("make", "-s", "verify", env=environment)
            assert done.returncode == 0, done.stdout + done.stderr
            assert said in done.stdout
