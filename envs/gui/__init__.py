"""GUI environments: screenshots in, actions by coordinates out. Pages come from `envs.web`'s browser."""
