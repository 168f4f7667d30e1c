"""The pytest plugin: scenario files as tests, and the fixtures simulate and explore."""
