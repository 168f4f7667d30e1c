"""The live half: all that knows Docker and the real client."""
