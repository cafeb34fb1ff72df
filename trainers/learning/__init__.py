"""Does it teach: small environments, the experiments on them, and the page that they write. `make learn` runs it all."""
