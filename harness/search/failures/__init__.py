"""What becomes of a failing run: its tape, shrinking, token, replay and regression."""
