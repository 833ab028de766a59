"""Tools and their versions."""
