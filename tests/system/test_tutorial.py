"""The README's tutorial, typed into a shell against a system that has just been started."""

import json
import re
import shutil
import subprocess

from local.template import ROOT
from tests.support.serving import alone, serving

BLOCKS = re.findall(
    r"<!-- tutorial: \w+ -->\n```\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)
STATED = [
    re.escape(reply).replace("…", ".+")
    for reply in re.findall(r"^call .*  # (\{.*\}|\d+)(?:: .*)?$", "".join(BLOCKS), re.MULTILINE)
]
"""The reply that stands behind each call, as a pattern."""


def test_seven_calls_take_a_task_from_bound_to_done() -> None:
    with serving(**dict.fromkeys(("AWS_ENDPOINT_URL_DYNAMODB", "SIGNING_KEYS"), "")) as url:
        typed = "".join(BLOCKS).replace("http://127.0.0.1:3000", url)
        shell = subprocess.run(
            [shutil.which("bash") or "bash", "-e"],
            input=typed,
            env=alone(),
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
    replies = [*filter(None, shell.stdout.splitlines())]
    assert [stated for stated, reply in zip(STATED, replies, strict=False) if not re.fullmatch(stated, reply)] == []
    array, resources, tasks, run, queued, taken, launched, started, beat, done, polled, shown = map(json.loads, replies)
    assert (array, resources, tasks) == ({"array_id": 1001}, 1001, {"tasks": {"first": [1_000_000_001, "G"]}})
    assert run == {"workflow_run_id": 1001, "status": "L"}
    assert queued == {"tasks_by_status": {"Q": [1_000_000_001]}}
    assert taken == {"task_instance_batches": [[1001, "hello", 1, 1001, [1_000_000_001_001]]]}
    assert launched == {"message": "Task instance transitioned to LAUNCHED"}
    assert (started["task_instance"][1], started["task_instance"][5]) == ("R", "echo hello")
    assert (beat, done) == ({"status": "R"}, {"status": "D"})
    assert polled["status_updates"] == {"D": [1_000_000_001_001]}
    assert (shown["task_instance"]["status_name"], shown["task"]["status_name"]) == ("DONE", "DONE")
    assert shown["task_instance"]["stdout_log"] == "hello\n"
