"""`python -m astra_outputs` is the command `astra-outputs`."""

from astra_outputs.cli import main

main()
