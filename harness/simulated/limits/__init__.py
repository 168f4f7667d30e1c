"""The limits of a run: of its steps, of moments that do not end, of steps that do not return."""
