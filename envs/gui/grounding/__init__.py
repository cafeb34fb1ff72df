"""`gui/grounding-v0`: an instruction and a screenshot in, a place on it out."""
