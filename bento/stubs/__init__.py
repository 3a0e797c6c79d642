"""What ``make stubs`` compiles from ``sentiment.proto``: the message types; servers and clients are in ``bento``."""
