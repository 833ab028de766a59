"""Queries, paths and bodies as routes get them: typed, bounded, refused with the name of what does not fit."""

from typing import Annotated, Any

import pytest
from pydantic import Field

from lockstep.errors import InvalidError
from lockstep.http.fields import Id, ShortText, SmallCount
from lockstep.http.models import Request
from lockstep.http.request import Event, parse_body, parse_path, parse_query


class Filter(Request):
    """Every kind of parameter that Jobmon's programs send."""

    user: Annotated[list[ShortText], Field(max_length=3, default_factory=list)]
    not_user: Annotated[list[ShortText], Field(alias="user!", default_factory=list)]
    workflow_id: list[Id] | None = None
    limit: SmallCount = 5
    name: ShortText | None = None
    start: Annotated[Id, Field(alias="max_task_id")]


def event(**query: list[str]) -> Event:
    """As API Gateway hands a query over. Python's keywords cannot hold every name: `user_` stands for `user!`."""
    many = {name.replace("user_", "user!"): values for name, values in query.items()}
    return {"multiValueQueryStringParameters": many or None}


def refused(query: Event) -> list[str]:
    """The parameters that a refusal names."""
    with pytest.raises(InvalidError) as error:
        parse_query(query, Filter)
    return [field.field for field in error.value.fields]


def test_single_and_repeated_keys() -> None:
    found = parse_query(
        event(user=["a", "b"], user_=["x"], workflow_id=["7", "8"], limit=["2"], max_task_id=["1"]), Filter
    )
    assert (found.user, found.not_user, found.workflow_id, found.limit) == (["a", "b"], ["x"], [7, 8], 2)


def test_a_list_may_have_one_value_and_what_is_left_out_has_its_default() -> None:
    found = parse_query(event(user=["a"], max_task_id=["1"]), Filter)
    assert (found.user, found.not_user, found.workflow_id, found.limit, found.name) == (["a"], [], None, 5, None)


def test_unknown_parameters_are_ignored() -> None:
    assert parse_query(event(max_task_id=["1"], client_jobmon_version=["3.6.0", "again"]), Filter).limit == 5


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({}, ["max_task_id"]),
        ({"max_task_id": ["x"]}, ["max_task_id"]),
        ({"max_task_id": ["1"], "limit": ["2", "3"]}, ["limit"]),
        ({"max_task_id": ["1"], "limit": ["-1"]}, ["limit"]),
        ({"max_task_id": ["1"], "limit": ["1.5"]}, ["limit"]),
        ({"max_task_id": ["1"], "workflow_id": ["7", "seven"]}, ["workflow_id.1"]),
        ({"max_task_id": ["1"], "user": ["a"] * 4}, ["user"]),
        ({"max_task_id": ["1"], "user": ["a" * 256]}, ["user.0"]),
        ({"max_task_id": ["1"], "name": ["a", "b"]}, ["name"]),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(query: dict[str, list[str]], named: list[str]) -> None:
    assert refused(event(**query)) == named


def test_no_query_at_all_is_an_empty_one() -> None:
    assert refused({}) == ["max_task_id"]


class Named(Request):
    """A path whose variable has another name than the field, as where siblings must share one."""

    cluster_id: Annotated[Id, Field(alias="cluster_name")]


def test_a_path_may_name_its_field_otherwise() -> None:
    assert parse_path({"pathParameters": {"cluster_name": "7"}}, Named).cluster_id == 7
    with pytest.raises(InvalidError, match="cluster_name"):
        parse_path({"pathParameters": {"cluster_name": "seven"}}, Named)


@pytest.mark.parametrize("body", ["null", "[]", "7", '"text"', "{}"])
def test_a_body_that_is_no_object_with_the_fields_is_422(body: Any) -> None:
    class Body(Request):
        limit: SmallCount

    with pytest.raises(InvalidError):
        parse_body({"body": body}, Body)
