"""The command line. Nothing is imported until a command runs, so that `import agentgym` stays light."""

from __future__ import annotations


def main() -> None:
    """The entry point of `agentgym`."""
    from agentgym.cli.app import app

    app()
