"""One output format, one file: ``run_…`` of a batch of runs, ``search_…`` of searches."""
