"""What runs Lockstep on one machine. Never shipped to Lambda."""
