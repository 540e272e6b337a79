"""A static site made from boards: it needs no network, no server and no JavaScript to be read."""
