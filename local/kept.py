"""Keep the items of the embedded engine's tables in a SQLite file, so that they outlive its process.

The engine has its tables in memory, and executes one request after another, each from its beginning to its reply.
What a request writes is one transaction of the file, and is committed before the reply is sent. So whatever is killed,
the file holds all writes that were answered, and all or none of a request's. The file reaches the disk every second:
that much is lost if the machine itself stops.

Items are kept, not tables: they are loaded into the table of their name when it is created, so that it has today's
indexes. A write that cannot be kept ends the engine, because its tables and the file would differ from then on.

The engine's process imports this module; it needs the standard library only.
"""

import json
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any, Final

FORMAT: Final = 1
"""The version of the file's format, which it has as its user_version."""
SECONDS_BETWEEN_SYNCS: Final = 1.0
JOURNAL_PAGES: Final = 4000
"""When SQLite's journal (the file's `-wal`) holds so many pages, 16 MB, it begins anew."""
_SET: Final = "INSERT INTO item VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET item = excluded.item"
_SCHEMA: Final = f"""
    BEGIN;
    CREATE TABLE item (
        table_name TEXT, key TEXT, item TEXT NOT NULL, PRIMARY KEY (table_name, key)
    ) WITHOUT ROWID;
    PRAGMA user_version = {FORMAT};
    COMMIT;
"""

Table = dict[str, Any]
Reply = tuple[int, dict[str, str], bytes]


class KeptError(Exception):
    """The file cannot be used; the message says why in one line."""


def connect(file: Path) -> sqlite3.Connection:
    """Open the file, and make it if it is missing. A transaction that a killed process had begun is undone.

    Raises:
        KeptError: it is no such file, is of another version's format, or cannot be written.
    """
    try:
        database = sqlite3.connect(file, timeout=0)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA wal_autocheckpoint = {JOURNAL_PAGES}")
        found = database.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            database.executescript(_SCHEMA)
        elif found != FORMAT:
            raise KeptError(f"{file} has format {found}, this version of Lockstep reads and writes format {FORMAT}")
    except sqlite3.Error as error:
        raise KeptError(f"{file} cannot be used: {error}") from error
    return database


def keep(dynamodb: ModuleType, file: Path) -> None:
    """Let the engine's module of DynamoDB load its tables' items from the file, and keep there what it writes.

    Raises:
        KeptError: as `connect` does.
    """
    Items(dynamodb, connect(file)).follow()
    threading.Thread(target=_sync, args=(file,), daemon=True).start()


class Items:
    """The functions through which all of the engine's writes go, each with its write to the file."""

    def __init__(self, dynamodb: Any, database: sqlite3.Connection) -> None:
        self._database, self._dynamodb = database, dynamodb
        self._set_item, self._remove_item = dynamodb._set_item, dynamodb._remove_item
        self._items_replaced = dynamodb._items_replaced
        self._create_table, self._delete_table = dynamodb._create_table, dynamodb._delete_table
        self._handle_request = dynamodb.handle_request

    def follow(self) -> None:
        """Take the place of the engine's functions."""
        self._dynamodb._set_item, self._dynamodb._remove_item = self.set_item, self.remove_item
        self._dynamodb._items_replaced = self.items_replaced
        self._dynamodb._create_table, self._dynamodb._delete_table = self.create_table, self.delete_table
        self._dynamodb.handle_request = self.handle_request

    def set_item(self, table: Table, pk: str, sk: str, item: Any) -> Any:
        self._keep(table["TableName"], pk, sk, item)
        return self._set_item(table, pk, sk, item)

    def remove_item(self, table: Table, pk: str, sk: str) -> Any:
        self._execute("DELETE FROM item WHERE table_name = ? AND key = ?", table["TableName"], _key(pk, sk))
        return self._remove_item(table, pk, sk)

    def items_replaced(self, table: Table) -> None:
        self._forget(table["TableName"])
        for pk, items in table["items"].items():
            for sk, item in items.items():
                self._keep(table["TableName"], pk, sk, item)
        self._items_replaced(table)

    def create_table(self, request: dict[str, Any]) -> Reply:
        reply: Reply = self._create_table(request)
        if reply[0] == HTTPStatus.OK:
            table = self._dynamodb._tables[request["TableName"]]
            with _ending_the_process():
                for key, item in self._execute("SELECT key, item FROM item WHERE table_name = ?", request["TableName"]):
                    self._set_item(table, *json.loads(key), json.loads(item))
        return reply

    def delete_table(self, request: dict[str, Any]) -> Reply:
        reply: Reply = self._delete_table(request)
        if reply[0] == HTTPStatus.OK:
            self._forget(json.loads(reply[2])["TableDescription"]["TableName"])
        return reply

    async def handle_request(self, *request: Any) -> Reply:
        try:
            reply: Reply = await self._handle_request(*request)
        finally:
            with _ending_the_process():
                self._database.commit()
        return reply

    def _keep(self, table_name: str, pk: str, sk: str, item: Any) -> None:
        self._execute(_SET, table_name, _key(pk, sk), json.dumps(item))

    def _forget(self, table_name: str) -> None:
        self._execute("DELETE FROM item WHERE table_name = ?", table_name)

    def _execute(self, statement: str, *values: str) -> sqlite3.Cursor:
        with _ending_the_process():
            return self._database.execute(statement, values)


def _key(pk: str, sk: str) -> str:
    return json.dumps([pk, sk])


def _sync(file: Path) -> None:
    """Bring what was committed to the disk, again and again, while requests go on."""
    with _ending_the_process():
        database = connect(file)
        while True:
            time.sleep(SECONDS_BETWEEN_SYNCS)
            database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


@contextmanager
def _ending_the_process() -> Iterator[None]:
    try:
        yield
    except (KeptError, sqlite3.Error) as error:
        print(f"the engine ends, because it cannot keep what is written: {error}", file=sys.stderr, flush=True)
        os._exit(1)
