"""Compute what Lockstep costs on AWS, from AWS's prices and measured use: the tables of docs/cost.md.

tests/routes/test_cost.py measures write and read units, tests/jobmon/test_array.py requests, and
`make measure` processor time and log lines. of_assumptions lists what is not measured.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from local.tables import Tables, table
from local.template import Template
from lockstep.array.queue import TASKS_PER_TRANSACTION

STATED_ON: Final = "2026-11-22"
MILLION: Final = 1_000_000
_GB: Final = 2**30
_HOURS_A_MONTH: Final = 730
_FULL_MEMORY: Final = 1769
"""The MB of memory with which Lambda provides one whole vCPU."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price in AWS's public price list."""

    what: str
    dollars: float
    per: str


GATEWAY: Final = Price("API Gateway, REST", 3.50, "million requests, the first 333 million of a month")
GATEWAY_2: Final = Price("API Gateway, REST", 2.80, "million requests, the next 667 million")
GATEWAY_3: Final = Price("API Gateway, REST", 2.38, "million requests, the next 19 billion")
INVOCATION: Final = Price("Lambda, requests", 0.20, "million")
DURATION: Final = Price("Lambda on arm64, time", 0.0000133334, "GB-second, each call rounded up to 1 ms")
SNAPSHOT: Final = Price("Lambda SnapStart for Python, cache", 0.0000015046, "GB-second of each published version")
RESTORE: Final = Price("Lambda SnapStart for Python, restoring", 0.0001397998, "GB restored")
WRITE: Final = Price("DynamoDB on-demand, write units", 0.625, "million (since November 2024)")
READ: Final = Price("DynamoDB on-demand, read units", 0.125, "million (since November 2024)")
STORAGE: Final = Price("DynamoDB, storage", 0.25, "GB-month, the first 25 GB free")
RECOVERY: Final = Price("DynamoDB, point-in-time recovery", 0.20, "GB-month of the table")
SECRET: Final = Price("Secrets Manager, secret", 0.40, "secret-month")
SECRET_CALL: Final = Price("Secrets Manager, calls", 0.05, "10,000 calls")
LOG: Final = Price("CloudWatch Logs, ingestion", 0.50, "GB")
KEPT_LOG: Final = Price("CloudWatch Logs, storage", 0.03, "GB-month, compressed")
METRIC: Final = Price("CloudWatch, custom metric", 0.30, "metric-month, by the hours in which it is sent")
ALARM: Final = Price("CloudWatch, alarm", 0.10, "alarm metric-month, the first ten free")
DASHBOARD: Final = Price("CloudWatch, dashboard", 3.00, "dashboard-month, the first three free")
PIPE: Final = Price("EventBridge Pipes", 0.40, "million requests of up to 64 kB, after the filter")
EVENT: Final = Price("EventBridge, events of your own", 1.00, "million events of up to 64 kB")
TRANSFER: Final = Price("Data transfer to the internet", 0.09, "GB, the first 100 GB of a month free")
DATABASE: Final = Price("RDS MySQL, db.r6g.large in two zones", 0.43, "hour")
VCPU: Final = Price("Fargate on arm64, vCPU", 0.03238, "hour")
MEMORY: Final = Price("Fargate on arm64, GB", 0.00356, "hour")
BALANCER: Final = Price("Application load balancer", 0.0225, "hour, and its capacity units")
PRICES: Final = tuple(each for each in globals().values() if isinstance(each, Price))

BATCH: Final = 500
"""Instances that are queued and launched together."""
RUN: Final = 10_000
"""Instances in a run."""
INTERVAL: Final = 90
"""Seconds between heartbeats: Jobmon's task_instance_interval."""
LOOP: Final = 30
"""Seconds of one loop of a distributor or a client: Jobmon's workflow_run_interval."""
BEFORE_AND_AFTER: Final = 75
"""Seconds of an instance's life before its first heartbeat interval and after its last."""
SWEEP: Final = 190
"""Seconds from one check of a batch to the next: the shortest of 190 to 279."""
WAIT_MS: Final = 10
"""Milliseconds until DynamoDB answers a request."""
STARTS: Final = 0.01
"""Cold starts per request."""
START_CPU_MS: Final = 200
ACCESS_LINE: Final = 380
"""Bytes of a line in the gateway's log: the template's format with typical values."""
LINE_OVERHEAD: Final = 26
"""Bytes that CloudWatch adds to a line."""
REPLY: Final = 600
"""Bytes of a reply, including its headers."""


@dataclass(frozen=True, slots=True)
class Use:
    """The requests of one route in the life of an instance."""

    route: str
    times: float
    """Requests per instance; a fraction if a request is about several instances."""
    cpu_ms: float
    """Processor time of one request on a whole vCPU."""
    line: int
    """Bytes of a request's log line, including its metrics."""
    written: float = 0
    """Write units of one request."""
    read: float = 0
    """Read units of one request."""
    waits: int = 1
    """Replies of DynamoDB that one request waits for, one after the other."""
    memory: int = 512
    """The function's memory in MB."""

    @property
    def milliseconds(self) -> int:
        """The billed time of one request in a warm environment."""
        return math.ceil(self.cpu_ms / self._processor + self.waits * WAIT_MS)

    @property
    def starting(self) -> float:
        """The milliseconds that a new environment adds."""
        return START_CPU_MS / self._processor

    @property
    def gb_seconds(self) -> float:
        """The billed GB-seconds of all its requests."""
        return self.times * (self.milliseconds + STARTS * self.starting) / 1000 * self.memory / 1024

    @property
    def _processor(self) -> float:
        """The function's share of a vCPU."""
        return min(1, self.memory / _FULL_MEMORY)


def life(heartbeats: int, interval: float = INTERVAL, run: int = RUN) -> list[Use]:
    """Return the requests for one instance, from queuing to DONE with output, without the binding of its task.

    run: the instances of its run.
    """
    seconds = heartbeats * interval + BEFORE_AND_AFTER
    loops = seconds / LOOP
    size = min(BATCH, run)
    of_batch, of_run = 1 / size, 1 / run
    transactions = math.ceil(size / TASKS_PER_TRANSACTION)
    of_queueing, of_taking = 2 + 5 * transactions, 2 * transactions
    worker = [
        Use("GET cluster/{name}", 1, 0.7, 359, waits=0),
        Use("GET get_array_task_instance_id", 1, 1.8, 458, read=0.5),
        Use("POST log_running", 1, 4.8, 669, written=4, read=0.5),
        Use("POST log_report_by", heartbeats, 1.9, 625, written=1),
        Use("POST log_done", 1, 3.5, 663, written=7),
    ]
    batch = [
        bulk("POST queue_task_batch", of_batch, 0.334, written=5 + of_queueing * of_batch, read=0.5, size=size),
        bulk(
            "POST instantiate_task_instances",
            of_batch,
            0.212,
            written=4 + of_taking * of_batch,
            read=0.5 + 0.5 * of_batch,
            size=size,
        ),
        Use("POST task_resources/{id}", of_batch, 1.8, 458, read=0.5),
        bulk("POST transition_to_launched", of_batch, 0.23, written=4 + 4 * of_batch, read=6 * of_batch, size=size),
        bulk("POST array/{id}/log_distributor_id", of_batch, 0.068, written=1, size=size),
        bulk("POST log_report_by/batch", of_batch, 0.057, written=1, size=size),
    ]
    checks = seconds / SWEEP / loops
    loop = [
        Use("POST sync_status", 6 * loops * of_run, 8, 390, read=1, memory=_FULL_MEMORY),
        bulk("POST sync_status that tells what is queued", of_run, 0.105, read=1.5, size=run),
        bulk("POST sync_status that lists what runs", loops * of_run, 0.105, read=0.5, size=run),
        bulk(
            "POST set_status_for_triaging",
            loops * of_run,
            0.105 * checks,
            written=4 * of_batch * checks,
            read=(0.5 + 6 * of_batch) * checks,
            size=run,
        ),
        Use("POST workflow_run/{id}/log_heartbeat", loops * of_run, 2.0, 394, written=1),
    ]
    return worker + batch + loop


def bulk(route: str, times: float, cpu_ms: float, written: float = 0, read: float = 0, *, size: int) -> Use:
    """Return the use of a request about many instances, given the use per instance."""
    return Use(route, times, cpu_ms * size, 480, written * size, read * size, waits=3, memory=_FULL_MEMORY)


def cost(uses: list[Use]) -> dict[str, float]:
    """Return the dollars for a million such lives, by component."""
    requests = sum(use.times for use in uses)
    logged = sum(use.times * (use.line + ACCESS_LINE + 2 * LINE_OVERHEAD) for use in uses)
    return {
        "API Gateway": requests * GATEWAY.dollars,
        "Lambda, requests": requests * INVOCATION.dollars,
        "Lambda, time": sum(use.gb_seconds for use in uses) * DURATION.dollars * MILLION,
        "DynamoDB, writes": sum(use.times * use.written for use in uses) * WRITE.dollars,
        "DynamoDB, reads": sum(use.times * use.read for use in uses) * READ.dollars,
        "CloudWatch, both logs": logged * MILLION / _GB * LOG.dollars,
        "Data transfer": requests * REPLY * MILLION / _GB * TRANSFER.dollars,
    }


LIVES: Final = (0, 5, 50)
_HEARTBEATS: Final = tuple(f"{heartbeats} heartbeats >" for heartbeats in LIVES)
INTERVALS: Final = (90, 180, 300, 600)
_HOUR: Final = 4_500
"""The running time of the command in the table of intervals, in seconds."""


def of_lives() -> Iterator[str]:
    """Yield the cost of a million instances, by component and heartbeats."""
    costs = [cost(life(heartbeats)) for heartbeats in LIVES]
    rows = [(component, *(f"{each[component]:.2f}" for each in costs)) for component in costs[0]]
    rows.append(("**together**", *(f"**{sum(each.values()):.2f}**" for each in costs)))
    rows.append(("of which API Gateway", *(f"{each['API Gateway'] / sum(each.values()):.0%}" for each in costs)))
    return table(("dollars for a million instances", *_HEARTBEATS), rows)


def of_requests() -> Iterator[str]:
    """Yield the requests and capacity units of one instance."""
    lives = [life(heartbeats) for heartbeats in LIVES]
    rows = [(uses[0].route, *(f"{use.times:.4g}" for use in uses)) for uses in zip(*lives, strict=True)]
    rows.append(("**requests**", *(f"{sum(use.times for use in uses):.2f}" for uses in lives)))
    for name, unit in (("write units", "written"), ("read units", "read")):
        units = (sum(use.times * getattr(use, unit) for use in uses) for uses in lives)
        rows.append((f"**{name}**", *(f"{number:.2f}" for number in units)))
    return table(("per instance", *_HEARTBEATS), rows)


def of_intervals() -> Iterator[str]:
    """Yield the cost and the detection time for each heartbeat interval."""
    columns = ("interval, s >", "heartbeats in 75 minutes >", "dollars for a million instances >")
    lives = ((interval, _HOUR // interval) for interval in INTERVALS)
    return table(
        (*columns, "silence is noticed after, s"),
        (
            (
                interval,
                heartbeats,
                f"{sum(cost(life(heartbeats, interval)).values()):.0f}",
                f"{2.1 * interval:.0f} to {3.1 * interval + 30:.0f}",
            )
            for interval, heartbeats in lives
        ),
    )


ALARMS: Final = 8
ALARM_METRICS: Final = 9
"""The metrics of all alarms. AWS bills alarms by their metrics."""
OFF: Final = frozenset({"tell_changes"})
"""Functions that a stack with the default parameters does not have."""


def of_idleness() -> Iterator[str]:
    """Yield the cost of a month without requests."""
    secret, alarms, dashboard = SECRET.dollars, ALARM_METRICS * ALARM.dollars, DASHBOARD.dollars
    stored = STORAGE.dollars + RECOVERY.dollars
    return table(
        ("in a month without a request", "dollars >", "within AWS's free allowance >"),
        (
            ("secret (not with AuthMode=iam)", f"{secret:.2f}", f"{secret:.2f}"),
            (f"{ALARMS} alarms on {ALARM_METRICS} metrics", f"{alarms:.2f}", "0.00"),
            ("dashboard (Dashboard=false: none)", f"{dashboard:.2f}", "0.00"),
            ("**together**", f"**{secret + alarms + dashboard:.2f}**", f"**{secret:.2f}**"),
            ("storage and recovery, per GB in the table", f"{stored:.2f}", f"{RECOVERY.dollars:.2f}"),
            ("logs, per GB, until LogRetentionDays have passed", f"{KEPT_LOG.dollars:.2f}", ""),
        ),
    )


def of_a_server() -> Iterator[str]:
    """Yield a comparison with a small server and a database that are always on."""
    month = _HOURS_A_MONTH * (DATABASE.dollars + 2 * (VCPU.dollars + 2 * MEMORY.dollars) + BALANCER.dollars)
    yield "Two small containers (1 vCPU, 2 GB), a load balancer and a db.r6g.large in two zones are always on:"
    yield f"{month:.0f} dollars a month before storage, busy or idle. For the same money Lockstep runs, in a month,"
    counts = (f"{month / sum(cost(life(n)).values()):.1f} million instances with {n} heartbeats" for n in LIVES)
    yield ", or ".join(counts) + "."


def of_snapshots() -> Iterator[str]:
    """Yield the cost of SnapStart for an idle stack."""
    month = _HOURS_A_MONTH * 3600 * SNAPSHOT.dollars
    functions = Counter(function.memory for function in Template().functions if function.name not in OFF)
    costs = {memory: count * month * memory / 1024 for memory, count in sorted(functions.items())}
    for memory, dollars in costs.items():
        yield f"{functions[memory]} functions of {memory:,} MB cost {dollars:.2f} dollars a month,"
    yield f"together {sum(costs.values()):.2f} dollars,"
    yield "used or not, for each version that is kept."


def of_assumptions() -> Iterator[str]:
    """Yield the assumptions, which are not measured."""
    yield f"- A run has {RUN:,} instances in batches of {BATCH}, which all run at the same time. In a smaller run, each"
    yield "  instance pays a larger share of its distributor's requests."
    yield f"- Jobmon's intervals: a heartbeat every {INTERVAL} s; every {LOOP} s a distributor's loop (seven polls that"
    yield "  list every instance once) and a client's loop (sweep, heartbeat of the run). An instance lives for"
    yield f"  {BEFORE_AND_AFTER} s besides its heartbeat intervals."
    yield f"- DynamoDB answers in {WAIT_MS} ms; a bulk route waits for three answers one after the other."
    yield f"- {STARTS:.0%} of requests cause a cold start of {START_CPU_MS} ms of processor time, which Lambda bills"
    yield "  since August 2025. AWS states a lower share."
    yield f"- A function with M MB has M / {_FULL_MEMORY:,} of a processor as fast as the one of the measurement."
    yield f"- A reply has {REPLY} bytes with its headers and goes to the internet; a line of the access log has"
    yield f"  {ACCESS_LINE} bytes, and CloudWatch adds {LINE_OVERHEAD} to each line."
    yield "- No request is repeated, no attempt fails, and AWS's free allowances are not counted."


def of_prices() -> Iterator[str]:
    """Yield the prices."""
    yield f"As stated on {STATED_ON}:"
    yield ""
    rows = ((each.what, f"{each.dollars:.10f}".rstrip("0").rstrip("."), each.per) for each in PRICES)
    yield from table(("", "dollars >", "per"), rows)


TABLES: Final[Tables] = {
    "lives": of_lives,
    "requests": of_requests,
    "assumptions": of_assumptions,
    "intervals": of_intervals,
    "idle": of_idleness,
    "server": of_a_server,
    "snapshots": of_snapshots,
    "prices": of_prices,
}
