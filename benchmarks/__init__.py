"""Benchmarks: this project beside what a user would pick instead, on one server, in one process tree.

    python -m benchmarks              # every part of the default run
    python -m benchmarks --quick      # only what the goals of saving ask: some minutes, twice that the first time
    python -m benchmarks --quick --width 60 --table plain   # a part of that
    python -m benchmarks tuning throughput   # some parts
    python -m benchmarks --growth --layout --reading
    python -m benchmarks --smoke      # tiny sizes: does it run?
    python -m benchmarks.report       # print the results again
    python -m benchmarks.report --publish   # write them into docs/performance.md
    python -m benchmarks.profiling save_many --width 200   # where the client's time goes

Only ratios within one run mean something: a machine is faster in the morning. Everything that is
compared is therefore run in turn, round after round, and the ratio is taken within each round. The
first `--quick` finds the batch size at which each way is fastest, and those that follow take it over:
`--retune` looks again, which a change of what happens to a batch asks for.
"""
