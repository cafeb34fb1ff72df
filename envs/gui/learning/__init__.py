"""A small model of our own that learns to point, on a CPU in minutes: to show that `gui/grounding-v0` teaches."""
