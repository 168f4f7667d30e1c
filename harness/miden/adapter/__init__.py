"""The adapter that puts the serve core under the harness: its points, its audit, its clients."""
