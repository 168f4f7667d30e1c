"""The output formats, one a file: ``run_…`` for a batch of runs, ``search_…`` for searches."""
