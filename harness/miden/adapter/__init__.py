"""The adapter that puts the serve core under the harness, with its points, audit and clients."""
