"""Task templates of a tool version, and their versions: a command and the names of its arguments."""
