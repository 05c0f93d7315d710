"""The systems that quality is compared over, a file each, and the cells of the comparison.

A system's file has `fit(job, rows)`, which learns and returns a function from texts to labels. Peers' files import
nothing of the project, so that they run in an environment of their own.
"""
