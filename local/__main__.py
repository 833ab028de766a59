"""Start a program: start.py says how."""

from local.start import main

main()
