"""Programs that run Lockstep on one machine. Never shipped to Lambda."""
