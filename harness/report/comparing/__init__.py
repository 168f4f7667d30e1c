"""Two reports of runs compared: exactly in virtual time, by intervals in real time."""
