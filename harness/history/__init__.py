"""What happened in a run, as values, and the figures that follow from that alone."""
