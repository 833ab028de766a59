"""The net has no holes where these would slip through: each change of the layer for the worse is caught."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from pynamodb.exceptions import TransactWriteError

from lockstep.clock import now, sleep
from lockstep.context import deadline
from lockstep.dynamodb import client as table
from lockstep.dynamodb import statements
from lockstep.dynamodb.client import Transaction, connection
from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.errors import TableError
from lockstep.text import digest
from tests.verification.faults.engine import Struck, working
from tests.verification.faults.kinds import FAULTS
from tests.verification.faults.matrix import Answered, Clean, every_fault, play_clean, send, try_out
from tests.verification.faults.scenarios import SCENARIOS, Scenario


def a_token_for_each_try() -> AbstractContextManager[Any]:
    def without_token(connection: Any, client_request_token: str) -> Transaction:
        assert client_request_token
        return Transaction(connection=connection)

    return patch("lockstep.dynamodb.client.Transaction", without_token)


def an_error_entry_by_the_time() -> AbstractContextManager[Any]:
    return patch("lockstep.task_instance.store.text.digest", lambda said: digest(f"{said} {now()}"))


@contextmanager
def a_conflict_is_swallowed() -> Iterator[None]:
    reach = table.reach

    def careless(call: Callable[[], Any]) -> Any:
        def swallowing() -> Any:
            try:
                return call()
            except TransactWriteError as error:
                if any(reason and reason.code == "TransactionConflict" for reason in error.cancellation_reasons):
                    return None
                raise

        return reach(swallowing)

    with patch("lockstep.dynamodb.client.reach", careless):
        yield


@contextmanager
def a_pair_in_two_writes() -> Iterator[None]:
    transact = table.transact

    class Apart:
        def __init__(self) -> None:
            self.actions: list[tuple[Any, ...]] = []

        def change(self, *arguments: Any) -> None:
            self.actions.append(arguments)

    def apart(build: Callable[[Any], None]) -> None:
        recorded = Apart()
        build(recorded)
        for arguments in recorded.actions:
            transact(lambda one: one.change(*arguments))  # noqa: B023  # called at once

    with patch("lockstep.task_instance.store.transact", apart):
        yield


def time_is_never_up() -> AbstractContextManager[Any]:
    return patch("lockstep.clock.Deadline.passed", lambda _: False)


def keys_left_unread_are_forgotten() -> AbstractContextManager[Any]:
    def one_page(keys: list[Key], attributes: list[str] | None, *, consistent: bool) -> list[RawItem]:
        wanted: list[Any] = [key._asdict() for key in keys]
        name = Item.Meta.table_name
        read = lambda: connection().batch_get_item(name, wanted, consistent, attributes_to_get=attributes)  # noqa: E731  # as reach takes it
        found: list[RawItem] = table.reach(read)["Responses"].get(name, [])
        return found

    return patch("lockstep.dynamodb.reads._fetch_some", one_page)


def further_pages_are_forgotten() -> AbstractContextManager[Any]:
    def first_page(partition: str, condition: Any, **how: Any) -> Iterator[RawItem]:
        read = lambda: connection().query(  # noqa: E731  # as reach takes it
            Item.Meta.table_name, partition, condition, consistent_read=how.get("consistent", False)
        )
        found: list[RawItem] = table.reach(read)["Items"]
        return iter(found)

    return patch("lockstep.task_instance.read.query", first_page)


def statements_that_failed_are_forgotten() -> AbstractContextManager[Any]:
    execute = statements._execute  # noqa: SLF001  # what is spoiled
    return patch("lockstep.dynamodb.statements._execute", lambda sent: [None for _ in execute(sent)])


def botocores_standard_retries() -> AbstractContextManager[Any]:
    """They wait where a reply asks for it, and hand on what they know to be broken."""
    return patch("lockstep.dynamodb.client.RETRIES", {"mode": "standard", "total_max_attempts": 2})


def a_pause_goes_past_the_deadline() -> AbstractContextManager[Any]:
    def reach(call: Callable[[], Any]) -> Any:
        for pause in table.pauses():
            try:
                return call()
            except Exception as error:
                codes = table._retryable_codes(error)  # noqa: SLF001  # as reach was
                if deadline().passed():
                    raise TableError(f"gave up: {codes}") from error
            sleep(pause)
        raise AssertionError

    return patch("lockstep.dynamodb.client.reach", reach)


def a_claim_brings_no_check_forward() -> AbstractContextManager[Any]:
    return patch("lockstep.task_instance.claim.expect", lambda *_: None)


class Caught(NamedTuple):
    """Where a change for the worse shows."""

    scenario: str
    fault: str
    failure: str


MUTATIONS: Mapping[Callable[[], AbstractContextManager[Any]], Caught] = {
    a_token_for_each_try: Caught(
        "log_known_error: from T", "InternalServerError after it ran", "Already in error state"
    ),
    an_error_entry_by_the_time: Caught("log_error_worker_node: from R", "silence after it ran", "as after clean calls"),
    a_conflict_is_swallowed: Caught("log_done: from R", "conflict on every item", "answered, but TASK#"),
    a_pair_in_two_writes: Caught("log_done: from R", "silence after it ran", "went from R/R to D/R"),
    time_is_never_up: Caught("log_done: from R", "ThrottlingException", "calls began after"),
    keys_left_unread_are_forgotten: Caught("get_task_resources: bound", "no key read", "answered 404"),
    further_pages_are_forgotten: Caught("task_instance_error_log: with errors", "a page of two items", "answered 200"),
    statements_that_failed_are_forgotten: Caught(
        "log_report_by_batch: some are O", "statements: ThrottlingError", "answered, but TASK#"
    ),
    botocores_standard_retries: Caught("get_task_instance: whole", "a broken reply after it ran", "answered 500"),
    a_claim_brings_no_check_forward: Caught("log_running: a soon claim, from O", "silence after it ran", "s too late"),
    a_pause_goes_past_the_deadline: Caught("log_done: from R", "ThrottlingException", "calls began after"),
}


@pytest.mark.parametrize(("mutation", "caught"), MUTATIONS.items(), ids=[mutation.__name__ for mutation in MUTATIONS])
def test_a_change_for_the_worse_is_caught(mutation: Callable[[], AbstractContextManager[Any]], caught: Caught) -> None:
    def plans(scenario: Scenario, clean: Clean) -> list[list[Struck]]:
        return [plan for plan in every_fault(scenario, clean) if plan[0].fault.name == caught.fault]

    with working() as world:
        assert try_out(world, named(caught.scenario), plans).failures == []
    with mutation(), working() as world:
        failures = try_out(world, named(caught.scenario), plans).failures
    assert any(caught.failure in failure for failure in failures), failures


def named(scenario: str) -> Scenario:
    [found] = [each for each in SCENARIOS if str(each) == scenario]
    return found


def test_a_cancelled_transaction_is_tried_again_under_another_token() -> None:
    """AWS may repeat a cancellation to its token. A fault's 503 is right, but every conflict would be one then."""
    assert where_a_token_repeats_its_conflict().status == 200
    with patch("lockstep.dynamodb.client._certainly_did_not_run", lambda _: False):
        assert where_a_token_repeats_its_conflict().status == 503


def where_a_token_repeats_its_conflict() -> Answered:
    [fault] = [fault for fault in FAULTS if fault.name == "a conflict that its token repeats"]
    with working() as world:
        clean = play_clean(world, named("log_done: from R"))
        world.begin(clean.before, [Struck(fault, 0, 1)])
        return send(world, clean.ask)
