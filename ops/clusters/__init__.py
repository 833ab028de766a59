"""`make clusters`: load clusters and queues from a file into a table.

document.py   YAML as plain data, each value with its line; whatever YAML lets a person write by mistake is refused
file.py       the models of a file, and what must hold within it
merge.py      a file on top of what the table holds: ids never change, nothing goes
"""
