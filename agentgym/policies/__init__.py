"""Policies that come with agentgym, one a file. Nothing is imported here."""
