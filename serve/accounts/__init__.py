"""How accounts come to be, step by step, so that a crash anywhere can be made good."""
