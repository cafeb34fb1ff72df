"""A real browser for environments: processes, tabs, what a page shows, and what can be done to it. No tasks, no rewards.

`Browsers` (pool) gives `Session`s (an isolated context with tabs); `observe` and `act` go through them.
"""
