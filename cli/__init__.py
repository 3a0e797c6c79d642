"""The command line: parser, one command a file, tables, live view, error lines."""
