"""MiniWoB++ (Shi et al. 2017; Liu et al. 2018, arXiv 1802.08802): small pages, each one task with its own verdict."""
