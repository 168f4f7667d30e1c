"""What reports are made of: verdicts, results of runs and searches, schedules, and their JSON."""
