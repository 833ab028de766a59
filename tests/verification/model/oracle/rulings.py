"""Which moves a task instance and its task may make, as the tables of docs/state-machine.md have them."""

from tests.verification.model.oracle.state import Instance, State, Task


def pairs(text: str) -> set[str]:
    """Moves, from one letter to another."""
    return set(text.split())


VALID = pairs("QI QK IO IW IK IR OR OU OX OZ OK OF RT RE RU RZ RK RD TR TZ TU TF KF KD XE")
UNTIMELY = pairs("RO EO EU EE UD UE UZ ZU DU KE KZ KU")
TASK_MOVES = pairs("GQ AQ QI IO IR IE OR OE RD RE EA EQ EG EF")
TOLD = "DFAG"
"""The statuses of a task that its workflow's client acts on: G if it comes after a failure."""


class Rulings(State):
    """Move an instance and its task, or neither."""

    def ruling(self, source: str, task: str, target: str, *, left: bool, latest: bool) -> tuple[str, str] | None:
        """validate_transition: where the instance and its task go; None where that is refused."""
        if source + target in UNTIMELY or source + target not in VALID:
            self.walked["untimely", source + target] += source + target in UNTIMELY
            return None
        if source + target == "TR" and task == "R" and latest:
            return "R", "R"
        if task in "DF" and target in "WEUZF":
            self.walked["orphan", source + target] += 1
            return "F", task
        through, end = self.follows(target, task, left=left)
        if task + through in TASK_MOVES and not latest:
            self.walked["earlier attempt", source + target] += 1
            return None if target in "IOR" else (target, task)
        self.walked["task", task + through] += task + through in TASK_MOVES
        self.walked["task", through + end] += task + through in TASK_MOVES and through != end
        return (target, end) if task + through in TASK_MOVES else None

    def follows(self, target: str, task: str, *, left: bool) -> tuple[str, str]:
        """get_new_task_status: what the task passes through, and where it ends."""
        if target in "QIORD":
            return target, target
        if target == "F" or (target in "WEUZ" and not left):
            return "E", "F"
        return ("E", "A" if target == "Z" else "G") if target in "WEUZ" else (task, task)

    def move(self, i: Instance, target: str, *, through: bool = False, stays: bool = False, source: str = "") -> bool:
        """Whether the pair moved. through: by way of RUNNING, a worker node speaks. stays: though its task cannot."""
        source, task = source or i.status, i.task.status
        on = {"left": i.task.left, "latest": i.latest}
        to = self.ruling(source, task, target, **on)
        if to is None and through and source == "T" and (running := self.ruling("T", task, "R", **on)):
            self.walked["instance", "TR"] += 1
            source, (_, task) = "R", running
            to = self.ruling(source, task, target, **on)
        if to is None and stays and source + target in VALID:
            to = target, task
        if to is None:
            return False
        self.walked["instance", source + to[0]] += source + to[0] in VALID
        i.since = self.now if i.status != to[0] else i.since
        i.status = to[0]
        self.move_task(i.task, to[1])
        return True

    def move_task(self, task: Task, status: str) -> None:
        if task.status != status:
            changed = (self.now, status) if status in TOLD else task.changed
            task.status, task.changed = status, None if status == "Q" else changed

    def start_over(self, task: Task) -> None:
        """As if it had never been tried. Who asks for it need not be told."""
        task.status, task.attempts, task.changed = "G", 0, None
