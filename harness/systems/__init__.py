"""Own the adapters: what puts a service under the harness."""
