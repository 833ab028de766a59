"""The rules of the walk, by who acts."""
