"""`python -m streams`."""

from streams.cli import main

main()
