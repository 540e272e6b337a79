"""Records to rows, ranks, CSV, Markdown and pictures; imports no torch."""
