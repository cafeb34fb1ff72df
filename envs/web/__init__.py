"""Web environments: pages in a real browser. `browser` is what they share; each environment is a folder beside it."""
