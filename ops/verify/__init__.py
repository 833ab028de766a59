"""`make verify`: walk tasks through their whole life against any deployment, over its API alone."""
