"""DynamoDB in this process's memory, for tests that ask it a million times or stop between two of its calls."""

from tests.support.memory.boundary import in_memory
from tests.support.memory.virtual_time import VirtualTime, running_on

__all__ = ["VirtualTime", "in_memory", "running_on"]
