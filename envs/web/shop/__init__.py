"""The shop: a site of our own with a catalogue that knows the truth, and instructions for buying from it."""
