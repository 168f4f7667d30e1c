"""Reports: every format of a batch of runs and of a search, and the figures that they share."""
