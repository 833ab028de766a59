"""A clusters file: what is read, what is refused, by line and field, and what becomes of it."""

import ast
import json
import re
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.cluster.builtin import Cluster, Queue
from ops.clusters.document import MOST_BYTES, FileError, read_document
from ops.clusters.file import literal, parse
from ops.clusters.merge import Stored, merge
from tests.support.clusters import EXAMPLE

HEAD: Final = "clusters:\n  - name: c\n    id: 4\n    type: slurm\n    queues:\n      - name: q\n        id: 4\n"
"""A file that is fine."""
CLUSTER: Final = Cluster(4, "c", "slurm", None)
QUEUE: Final = Queue(4, "q", "{}")


def refused(text: str | bytes, stored: Stored = ()) -> list[str]:
    with pytest.raises(FileError) as caught:
        merge(*parse(text.encode() if isinstance(text, str) else text), stored)
    return [str(problem) for problem in caught.value.problems]


def loaded(text: str, stored: Stored = ()) -> Stored:
    return merge(*parse(text.encode()), stored).clusters


def test_the_least_file() -> None:
    assert loaded(HEAD) == [(CLUSTER, [QUEUE])]


def test_the_example() -> None:
    slurm, two = loaded(EXAMPLE.read_text(encoding="utf-8"))
    assert slurm[0][:3] == (4, "slurm", "slurm")
    assert [queue[:2] for queue in slurm[1]] == [(4, "all.q"), (5, "long.q")]
    assert slurm[1][0].parameters == "{'cores': (1, 56), 'memory': (0.128, 1000), 'runtime': (10, 259200)}"
    assert two == (
        Cluster(5, "two-at-once", "multiprocess", '{"parallelism": 2}'),
        [Queue(6, "small.q", "{'cores': (1, 2)}")],
    )


LIMITS: Final = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**18) + 1, 10**18 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(codec=None) | st.sampled_from("'\"\\\n\x00\ud800{}()#")),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=10,
    ),
    max_size=4,
)


@given(LIMITS)
def test_a_client_reads_the_limits_that_were_written(limits: dict[str, Any]) -> None:
    read = ast.literal_eval(json.loads(json.dumps(literal(limits))))
    assert json.loads(json.dumps(read)) == limits, "its tuples are lists to JSON"


@given(LIMITS)
def test_what_json_writes_is_read_as_it_is_meant(limits: dict[str, Any]) -> None:
    """JSON is YAML, but for halves of characters, and for what YAML reads in several ways."""
    written = json.dumps({"p": limits}, ensure_ascii=False)
    escaped = re.sub(r"[^ -~]", lambda character: f"\\U{ord(character[0]):08x}", written)
    numbers = [value for value in _leaves(limits) if isinstance(value, float)]
    if "\ud800" in written or any("." not in repr(number) for number in numbers):
        with pytest.raises(FileError, match=r"several ways|no character"):
            read_document(escaped.encode())
    else:
        assert read_document(escaped.encode()).data == {"p": limits}


def _leaves(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [leaf for each in inner for leaf in _leaves(each)] if isinstance(value, dict | list) else [value]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("5", 5),
        ("-3", -3),
        ("0.128", 0.128),
        ("1.5e+3", 1500.0),
        ("true", True),
        ("False", False),
        ("", None),
        ("null", None),
        ("'no'", "no"),
        ("'0755'", "0755"),
        ('"\\u00e9\\U0001F600"', "é😀"),
        ("1.2.3", "1.2.3"),
        ("10.0.0.7", "10.0.0.7"),
        ("[1, [2, x]]", [1, [2, "x"]]),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_values(written: str, read: Any) -> None:
    assert read_document(f"a: {written}\n".encode()).data == {"a": read}


AMBIGUOUS: Final = (
    *("no", "yes", "on", "Off", "0755", "0x1F", "0b11", "1_000", "12:30", "1:00:00", "1:30.5", "+5", ".5", "5."),
    *(".inf", "-.inf", ".nan", "1e3", "08", "1.0e+999", "2020-01-01", "=", "99999999999999999999"),
)


@pytest.mark.parametrize("written", AMBIGUOUS)
def test_what_may_be_read_in_several_ways_is_refused(written: str) -> None:
    [problem] = refused(f"{HEAD}        parameters:\n          a: {written}\n")
    assert problem.startswith(f"line 9: {written} may be read in several ways: quote it, or write ")
    data = read_document(f"{HEAD}        parameters:\n          a: '{written}'\n".encode()).data
    assert data["clusters"][0]["queues"][0]["parameters"] == {"a": written}


NESTED: Final = "a: " + "[" * 100_000
WRONG: Final[dict[str, tuple[str | bytes, str]]] = {
    "empty": ("", "line 1: it is empty"),
    "only a comment": ("# nothing\n", "line 1: it is empty"),
    "no mapping": ("- a\n", "line 1: Input should be a valid dictionary or instance of ClustersFile"),
    "no clusters": ("clusters: []\n", "line 1: clusters: List should have at least 1 item after validation, not 0"),
    "another key": (HEAD + "cluster: 5\n", "line 8: cluster: Extra inputs are not permitted"),
    "no YAML": ("clusters:\n  - {name: c\n", "line 3: while parsing a flow mapping: expected ',' or '}', but got "),
    "a tab": ("clusters:\n\t- a\n", "line 2: while scanning for the next token: found character '\\t' that cannot "),
    "two documents": (HEAD + "---\na: 1\n", "line 8: expected a single document in the stream: but found another "),
    "no UTF-8": (HEAD.encode() + b"    # \xff\n", "line 8: it is not UTF-8"),
    "a control character": ("clusters:\n  - name: a\x00b\n", "line 2: it holds '\\x00': write it so, in double quotes"),
    "too large": (b"#" * (MOST_BYTES + 1), f"line 1: the file takes {MOST_BYTES + 1} bytes; at most {MOST_BYTES} "),
    "an object of Python's": ("a: !!python/object/apply:os.system ['true']\n", "line 1: a tag (!) is not read: "),
    "a tag": ("a: !!int '4'\n", "line 1: a tag (!) is not read: "),
    "an alias": ("a: &x [1]\nb: *x\n", "line 2: an alias (*) is not read: write the value out"),
    "an alias of itself": ("a: &x [*x]\n", "line 1: an alias (*) is not read: write the value out"),
    "deeply nested": (NESTED, "line 1: it is nested more than 20 deep"),
    "deeply nested blocks": ("- " * 100_000, "line 1: it is nested more than 20 deep"),
    "a key twice": (HEAD + "    type: other\n", "line 8: the key type stands here for the second time"),
    "a key that is no text": (HEAD + "        parameters: {1: 2}\n", "line 8: a key must be text: quote it"),
    "a key that is a list": (HEAD + "        parameters: {[1]: 2}\n", "line 8: a key must be text: quote it"),
    "a merge": ("<<: {a: 1}\n", "line 1: << may be read in several ways: quote it, or write a number in "),
    "no id": (HEAD.replace("    id: 4\n", "", 1), "line 2: clusters.0.id: Field required"),
    "no id of a queue": (HEAD.replace("        id: 4\n", ""), "line 6: clusters.0.queues.0.id: Field required"),
    "no type": (HEAD.replace("    type: slurm\n", ""), "line 2: clusters.0.type: Field required"),
    "no queues": (HEAD[: HEAD.index("    queues")], "line 2: clusters.0.queues: Field required"),
    "an id of a built-in one": (HEAD.replace("id: 4", "id: 3", 1), "line 3: clusters.0.id: Input should be greater "),
    "an id that is text": (HEAD.replace("id: 4", "id: '4'", 1), "line 3: clusters.0.id: Input should be a valid "),
    "an id that is true": (HEAD.replace("id: 4", "id: true", 1), "line 3: clusters.0.id: Input should be a valid "),
    "an id that is 4.0": (HEAD.replace("id: 4", "id: 4.0", 1), "line 3: clusters.0.id: Input should be a valid "),
    "an id that JSON cannot hold": (
        HEAD.replace("id: 4", "id: 9007199254740992", 1),
        "line 3: clusters.0.id: Input should be less than or equal to 9007199254740991",
    ),
    "a built-in name": (
        HEAD.replace("name: c", "name: dummy"),
        "line 2: clusters.0.name: dummy is built in and cannot be changed",
    ),
    "a name with a slash": (HEAD.replace("name: c", "name: a/b"), "line 2: clusters.0.name: must be part of a URL"),
    "a name with a question mark": (HEAD.replace("name: q", "name: q?"), "line 6: clusters.0.queues.0.name: must be "),
    "a name with an escape": (HEAD.replace("name: c", 'name: "\\e[2J"'), "line 2: clusters.0.name: must be printable"),
    "half a character": (HEAD.replace("name: c", 'name: "a\\ud800"'), "line 2: it holds '\\ud800', which is no "),
    "two halves": (HEAD.replace("name: c", 'name: "\\ud83d\\ude00"'), "line 2: it holds '\\ud83d', which is no "),
    "no name": (HEAD.replace("name: c", "name: ''"), "line 2: clusters.0.name: must be printable"),
    "a name of dots": (HEAD.replace("name: c", "name: '..'"), "line 2: clusters.0.name: must be printable"),
    "a name that is a number": (
        HEAD.replace("name: c", "name: 7"),
        "line 2: clusters.0.name: Input should be a valid ",
    ),
    "a long name": (HEAD.replace("name: c", f"name: {'é' * 128}"), "line 2: clusters.0.name: must take at most 255 "),
    "a type that is no module": (HEAD.replace("slurm", "a-b"), "line 4: clusters.0.type: must be the plugin's module "),
    "limits that are a list": (
        HEAD + "        parameters: [1]\n",
        "line 8: clusters.0.queues.0.parameters: Input should be a valid dictionary",
    ),
    "limits under another name": (
        HEAD + "        limits: {}\n",
        "line 8: clusters.0.queues.0.limits: Extra inputs are not permitted",
    ),
    "a hostile key": (
        HEAD + '        "\\e[2J": {}\n',
        "line 8: clusters.0.queues.0.'\\x1b[2J': Extra inputs are not permitted",
    ),
    "large limits": (
        HEAD + f"        parameters: {{a: {'x' * 20_000}}}\n",
        "line 8: clusters.0.queues.0.parameters: must take at most 20000 bytes",
    ),
    "large connection parameters": (
        HEAD + f"    connection_parameters: {{a: {'x' * 20_000}}}\n",
        "line 8: clusters.0.connection_parameters: must take at most 20000 bytes",
    ),
    "what a distributor is given anyway": (
        HEAD + "    connection_parameters: {cluster_name: c}\n",
        "line 8: clusters.0.connection_parameters: must not hold cluster_name",
    ),
    "connection parameters that are text": (
        HEAD + "    connection_parameters: '{}'\n",
        "line 8: clusters.0.connection_parameters: Input should be a valid dictionary",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_refused_by_line_and_field(what: str) -> None:
    text, begins = WRONG[what]
    problems = refused(text)
    assert len(problems) == 1, problems
    assert problems[0].startswith(begins), problems[0]
    assert problems[0].isprintable(), "whatever the file holds"


def test_all_that_is_wrong_is_named() -> None:
    second = HEAD.removeprefix("clusters:\n")
    assert refused(HEAD + second.replace("name: c", "name: 7").replace("id: 4", "id: x")) == [
        "line 8: clusters.1.name: Input should be a valid string",
        "line 9: clusters.1.id: Input should be a valid integer",
        "line 13: clusters.1.queues.0.id: Input should be a valid integer",
    ]
    assert refused(HEAD + second) == [
        "line 8: clusters.1.name: c stands in this file already",
        "line 9: clusters.1.id: a cluster of this file has the id 4 already",
        "line 13: clusters.1.queues.0.id: a queue of this file has the id 4 already",
    ]
    queue = "      - name: q\n        id: 5\n"
    assert refused(HEAD + queue) == ["line 8: clusters.0.queues.1.name: the cluster has a queue q already"]


def test_two_clusters_may_have_queues_of_one_name() -> None:
    second = HEAD.removeprefix("clusters:\n").replace("name: c", "name: d").replace("id: 4", "id: 5")
    assert [[queue.id for queue in queues] for _, queues in loaded(HEAD + second)] == [[4], [5]]


STORED: Final[Stored] = [
    (CLUSTER, [QUEUE, Queue(7, "long", "{}")]),
    (Cluster(6, "other", "sge", "{}"), [Queue(5, "q", "{}")]),
]


def test_what_a_file_leaves_out_stays() -> None:
    assert loaded(HEAD, STORED) == STORED
    merged = merge(*parse(HEAD.encode()), STORED)
    assert (merged.new, merged.changed) == (0, 0)


def test_a_known_cluster_and_queue_change_under_their_ids() -> None:
    text = HEAD.replace("slurm", "sge") + "        parameters: {a: 1}\n      - name: new\n        id: 8\n"
    merged = merge(*parse(text.encode()), STORED)
    queues = [Queue(4, "q", "{'a': 1}"), Queue(7, "long", "{}"), Queue(8, "new", "{}")]
    assert merged.clusters[0] == (Cluster(4, "c", "sge", None), queues)
    assert (merged.new, merged.changed) == (1, 2)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("    id: 4\n", "    id: 9\n"), "line 3: clusters.0.id: cluster c has the id 4 for good"),
        (("name: c", "name: d"), "line 3: clusters.0.id: the id 4 is that of cluster c for good"),
        (("        id: 4\n", "        id: 9\n"), "line 7: clusters.0.queues.0.id: queue q has the id 4 for good"),
        (("name: q", "name: r"), "line 7: clusters.0.queues.0.id: the id 4 is that of queue q of cluster c for good"),
        (
            ("name: q\n        id: 4", "name: new\n        id: 5"),
            "line 7: clusters.0.queues.0.id: the id 5 is that of queue q of cluster other for good",
        ),
    ],
)
def test_an_id_keeps_its_name_and_its_cluster(change: tuple[str, str], problem: str) -> None:
    old, new = change
    found = refused(HEAD.replace(old, new, 1), STORED)
    assert problem in found
