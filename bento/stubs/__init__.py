"""The message types that ``make stubs`` compiles from ``sentiment.proto``; servers and clients are in ``bento``."""
