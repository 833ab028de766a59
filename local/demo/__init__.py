"""`make demo`: an array of 200 tasks from queue to done, with failures, over HTTP."""
