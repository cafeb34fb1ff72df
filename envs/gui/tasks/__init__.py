"""`gui/tasks-v0`: tasks in several steps, seen as screenshots and acted on by coordinates."""
