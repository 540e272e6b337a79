"""``python -m ganbench``."""

from ganbench.cli.main import main

main()
