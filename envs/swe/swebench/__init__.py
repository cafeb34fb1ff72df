"""SWE-bench's formats and rules: instances, predictions, log parsers, grading, and an environment that runs instances.

Equal to swebench 5.0.2 where it says so; the tests ask that package itself.
"""
