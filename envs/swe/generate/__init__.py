"""The maker of release tasks: from package names to validated tasks, and a report of what was refused and why.

`python -m agentgym.envs.swe.generate PACKAGES_FILE --out TASKS_FILE`.  Not needed to run tasks.  The network is used
for lists of versions and for source distributions only (`index`); whatever runs code of a package runs in a box.
"""
