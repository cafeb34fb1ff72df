"""The settings of a phone: an application of our own, with sections, switches, lists, levels and texts."""
