"""Screens with their truth: real pages rendered in Chromium, what is on them, and instructions that mean one thing each.

`shards` is the door for those who want samples; `generate` makes them. No environment is in here.
"""
