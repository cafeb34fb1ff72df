"""Sandboxes: the contract (`sandbox`), what every backend must pass (`conformance`), and the backends, one a file."""
