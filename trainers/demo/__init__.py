"""The demo recipe: a small model learns to hand in repairs. `run_demo` and `run_controls`; nothing is imported here."""
