"""The adapters: what puts a service under the harness."""
