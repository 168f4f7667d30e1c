"""Who told whom to go on: every signal of a lock, event or queue, and those that came too early."""
