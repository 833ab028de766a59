"""`make run DATA=…` keeps everything, whatever is killed."""

import json
import os
import resource
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from botocore.exceptions import BotoCoreError

from local import engine, kept
from local.folder import FolderError, claimed
from local.template import ROOT, Template
from sim.client import Client, Reply
from sim.cluster import Cluster, Conduct
from sim.tally import Tally
from sim.workflow import Workflow
from tests.support.marked import CANNOT_LOOK, Served
from tests.support.serving import Ended, port_of, run_alone

SEED = ROOT / "events/seed.json"
TABLE = "lockstep"
LARGE = "x" * 390_000
"""A text that nearly fills an item."""


def audit(url: str) -> Ended:
    return run_alone("ops.audit", "--port", port_of(url))


def serving_from(folder: Path, *options: str) -> Served:
    """`make run DATA=…`."""
    return Served("--data", str(folder), *options)


def kill_engine(served: Served) -> None:
    [number] = [each for each in served.processes() if b"engine_main" in Path(f"/proc/{each}/cmdline").read_bytes()]
    os.kill(number, signal.SIGKILL)


def stop(program: subprocess.Popen[str]) -> None:
    program.send_signal(signal.SIGINT)
    program.wait()


@pytest.mark.parametrize("end", [stop, subprocess.Popen.kill], ids=["Ctrl-C", "kill -9"])
def test_what_is_stored_is_there_again(tmp_path: Path, end: Callable[[subprocess.Popen[str]], None]) -> None:
    served = serving_from(tmp_path / "new" / "data")
    with served.up() as (program, url):
        assert run_alone("local.seed", SEED, "--port", port_of(url)).returncode == 0
        before = httpx.get(f"{url}/task_instance/7027001", trust_env=False).json()
        end(program)
    with served.up() as (_, url):
        assert httpx.get(f"{url}/task_instance/7027001", trust_env=False).json() == before
        audited = audit(url)
        assert audited.returncode == 0, audited.stdout
        assert "Everything fits together." in audited.stdout


@CANNOT_LOOK
@pytest.mark.parametrize("first", ["make run", "engine"])
def test_a_kill_in_the_midst_of_traffic_tears_nothing(tmp_path: Path, first: str) -> None:
    served = serving_from(tmp_path)
    tally, busy = Tally(), threading.Event()

    def heard(reply: Reply) -> None:
        tally.heard(reply)
        if tally.counts["requests"] >= 300:
            busy.set()

    with served.up() as (program, url):
        cluster = Cluster(Client(url, heard), tally, Conduct())
        workflows = [Workflow(cluster, number, 20, "test", (300.0, 300.0)) for number in range(1, 5)]
        driving = [cluster.start(workflow.run) for workflow in workflows]
        assert busy.wait(200)
        if first == "engine":
            kill_engine(served)
        program.kill()
        cluster.ended.set()
        for each in driving:
            each.join()
        cluster.client.close()
    ends = {number: told.end for number, told in cluster.record.instances.items() if told.end}
    assert ends
    with served.up() as (_, url):
        audited = audit(url)
        assert audited.returncode == 0, audited.stdout
        replies = {each: httpx.get(f"{url}/task_instance/{each}", trust_env=False).json() for each in ends}
    found = {each: reply["task_instance"]["status"] for each, reply in replies.items()}
    assert found == ends, "nothing that was answered is lost"


@CANNOT_LOOK
@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_ends_with_its_engine_and_says_so(tmp_path: Path, workers: str) -> None:
    served = serving_from(tmp_path, "--workers", workers)
    with served.up() as (program, _):
        kill_engine(served)
        _, errors = program.communicate()
        assert program.returncode == 128 + signal.SIGTERM
        assert errors == "the embedded DynamoDB ended with exit code -9, so nothing is served any more\n"
    assert not served.processes()


def test_a_token_is_good_for_what_has_the_same_folder(tmp_path: Path) -> None:
    served, another = serving_from(tmp_path / "a", "--auth", "on"), serving_from(tmp_path / "b", "--auth", "on")
    with served.up() as (program, url):
        made = run_alone("ops.token", "--scope", "reader", "--days", "1", "--port", port_of(url))
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        stop(program)
    assert (tmp_path / "a/signing-key").stat().st_mode & 0o777 == 0o600
    with served.up() as (_, url):
        assert httpx.get(f"{url}/health", headers=headers, trust_env=False).status_code == 200
    with another.up() as (_, url):
        assert httpx.get(f"{url}/health", headers=headers, trust_env=False).status_code == 401


def refused(folder: Path, **settings: str) -> str:
    """What a run that does not start says, in its one line."""
    ended = run_alone("local.run", "--port", "0", "--data", str(folder), **settings)
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    return line


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("mine", encoding="utf-8")
    assert "holds other files: give an empty folder, or one that is not there yet" in refused(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.md"]


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with claimed(tmp_path):
        assert f"another process uses DATA={tmp_path}; stop that one" in refused(tmp_path)


def test_a_named_endpoint_keeps_its_items_itself(tmp_path: Path) -> None:
    assert "give one of them" in refused(tmp_path, AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:9")


@pytest.mark.parametrize("what", ["file", "foreign", "later"])
def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "data"
    if what == "file":
        folder.write_text("", encoding="utf-8")
    else:
        folder.mkdir()
    if what == "foreign":
        (folder / "items.sqlite3").write_text("something else " * 100, encoding="utf-8")
    if what == "later":
        database = kept.connect(folder / "items.sqlite3")
        database.execute(f"PRAGMA user_version = {kept.FORMAT + 1}")
        database.close()
    said = {"file": "File exists", "foreign": "file is not a database", "later": f"has format {kept.FORMAT + 1}"}
    with pytest.raises(FolderError, match=said[what]), claimed(folder):
        pass


@contextmanager
def engine_on(path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    """An engine alone that keeps its items in a folder, and a client for it. It is killed in the end."""
    with claimed(path) as folder:
        port = engine.free_port()
        process = engine.start(port, folder, TABLE)
        try:
            yield process, engine.client(engine.endpoint_at(port))
        finally:
            process.kill()
            engine.end(process)


def key(pk: str, sk: str = "TASK") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def items(client: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.scan(TableName=TABLE)["Items"]
    return found


def test_every_way_to_write_is_kept(tmp_path: Path) -> None:
    """The kinds of request that Lockstep sends, a transaction that is rolled back, and a table that is deleted."""
    statement = f'UPDATE "{TABLE}" SET "n"=? WHERE "pk"=? AND "sk"=?'  # noqa: S608  # no text of others
    strange = {"pk": {"S": "strange ☃ 😀"}, "sk": {"S": "\x00'\"\u2028"}, "n": {"B": b"\xff"}}
    with engine_on(tmp_path) as (_, client):
        client.put_item(TableName=TABLE, Item=key("put") | {"n": {"N": "1"}})
        client.put_item(TableName=TABLE, Item=strange)
        client.update_item(
            TableName=TABLE,
            Key=key("updated"),
            UpdateExpression="SET n = :n",
            ExpressionAttributeValues={":n": {"N": "2"}},
        )
        client.put_item(TableName=TABLE, Item=key("deleted"))
        client.delete_item(TableName=TABLE, Key=key("deleted"))
        client.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": key("batch")}}]})
        values = [{"N": "3"}, {"S": "put"}, {"S": "TASK"}]
        client.batch_execute_statement(Statements=[{"Statement": statement, "Parameters": values}])
        client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": TABLE, "Item": key("transacted")}},
                {"Delete": {"TableName": TABLE, "Key": key("batch")}},
            ]
        )
        with pytest.raises(client.exceptions.TransactionCanceledException):
            client.execute_transaction(
                TransactStatements=[
                    {"Statement": statement, "Parameters": [{"N": "4"}, {"S": "put"}, {"S": "TASK"}]},
                    {"Statement": statement, "Parameters": [{"N": "4"}, {"S": "nothing"}, {"S": "TASK"}]},
                ]
            )
        client.create_table(**Template().table("another"))
        client.put_item(TableName="another", Item=key("gone"))
        client.delete_table(TableName="another")
        before = items(client)
    assert [item["pk"]["S"] for item in before] == ["put", "strange ☃ 😀", "transacted", "updated"]
    assert before[0]["n"] == {"N": "3"}
    with engine_on(tmp_path) as (_, client):
        assert items(client) == before
        client.create_table(**Template().table("another"))
        assert client.scan(TableName="another")["Items"] == []


def test_an_index_that_the_folder_does_not_know_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [index, *_] = Template().table(TABLE)["GlobalSecondaryIndexes"]
    names = [part["AttributeName"] for part in index["KeySchema"]]
    kinds = {each["AttributeName"]: each["AttributeType"] for each in Template().table(TABLE)["AttributeDefinitions"]}

    def of_earlier(_: Template, name: str) -> dict[str, Any]:
        keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        kinds_of_keys = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
        return {
            "TableName": name,
            "KeySchema": keys,
            "AttributeDefinitions": kinds_of_keys,
            "BillingMode": "PAY_PER_REQUEST",
        }

    with monkeypatch.context() as patched:
        patched.setattr(Template, "table", of_earlier)
        with engine_on(tmp_path) as (_, client):
            client.put_item(TableName=TABLE, Item=key("old") | {name: {kinds[name]: "7"} for name in names})
    with engine_on(tmp_path) as (_, client):
        found = client.query(
            TableName=TABLE,
            IndexName=index["IndexName"],
            KeyConditionExpression="#0 = :0",
            ExpressionAttributeNames={"#0": names[0]},
            ExpressionAttributeValues={":0": {kinds[names[0]]: "7"}},
        )
    assert [item["pk"]["S"] for item in found["Items"]] == ["old"]


def test_the_journal_is_bounded(tmp_path: Path) -> None:
    """What is written again and again takes no more room than once, and the journal."""
    bound = kept.JOURNAL_PAGES * 4096
    with engine_on(tmp_path) as (_, client):
        for number in range(4 * bound // len(LARGE)):
            client.put_item(
                TableName=TABLE, Item=key(str(number % 3)) | {"text": {"S": LARGE}, "n": {"N": str(number)}}
            )
        size = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert size < 2 * bound


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux to limit another process")
def test_an_engine_that_cannot_keep_ends(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What it answered is kept, and it answers nothing that is not."""
    answered = 0
    with engine_on(tmp_path) as (process, client):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))
        with suppress(BotoCoreError):
            while True:
                client.put_item(TableName=TABLE, Item=key(str(answered)) | {"text": {"S": LARGE}})
                answered += 1
        assert process.wait() == 1
    assert capfd.readouterr().err.startswith("the engine ends, because it cannot keep what is written: ")
    assert answered
    with engine_on(tmp_path) as (_, client):
        for number in range(answered):
            assert "Item" in client.get_item(TableName=TABLE, Key=key(str(number)))


PAIRS = 20


def written(file: Path) -> None:
    """Write pairs, each by a request, into a file, and leave it as a killed process does."""
    table: dict[str, Any] = {"TableName": TABLE, "items": {}}

    async def handle_request(number: int) -> None:
        for sk in ("TASK", "TI"):
            dynamodb._set_item(table, str(number), sk, {"n": {"N": str(number)}})  # noqa: SLF001  # the engine's name

    names = ("_set_item", "_remove_item", "_items_replaced", "_create_table", "_delete_table")
    dynamodb = SimpleNamespace(handle_request=handle_request, **dict.fromkeys(names, lambda *_: None))
    kept.Items(dynamodb, kept.connect(file.with_name("whole"))).follow()
    for number in range(PAIRS):
        with pytest.raises(StopIteration):
            dynamodb.handle_request(number).send(None)
    for suffix in ("", "-wal"):
        shutil.copy(file.with_name(f"whole{suffix}"), file.with_name(file.name + suffix))


@pytest.mark.parametrize("cut", [0, 1, 100, 4096, 4097, 20_000])
def test_a_torn_end_of_the_journal_is_cut_off(tmp_path: Path, cut: int) -> None:
    """As when the machine stops: what it had not brought to the disk yet is lost, with the other half of its pair."""
    file = tmp_path / "items.sqlite3"
    written(file)
    journal = file.with_name(file.name + "-wal")
    os.truncate(journal, journal.stat().st_size - cut)
    with journal.open("ab") as end:
        end.write(b"\x00\xff" * 5000)
    rows = kept.connect(file).execute("SELECT key, item FROM item").fetchall()
    found = {tuple(json.loads(text)) for text, _ in rows}
    count = len(found) // 2
    assert found == {(str(number), sk) for number in range(count) for sk in ("TASK", "TI")}
    assert count == PAIRS if cut == 0 else 0 < count < PAIRS
