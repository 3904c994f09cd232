"""Benchmarks: this project beside what a user would pick instead, on one server, in one process tree.

    python -m benchmarks              # every part of the default run, about a quarter of an hour
    python -m benchmarks --quick      # the same with tiny sizes: does it run?
    python -m benchmarks --growth --layout
    python -m benchmarks.report       # print the results again
    python -m benchmarks.report --publish   # write them into docs/performance.md

Only ratios within one run mean something: a machine is faster in the morning. Everything that is
compared is therefore run in turn, round after round, and the ratio is taken within each round.
"""
