"""Retention: which runs, versions and files may be deleted, and deleting them so that a crash leaves nothing broken.

The order makes a crash harmless: a record is deleted before the files that it refers to, so that no version and no run
ever refers to missing files. What then belongs to no record is listed in a journal beside the artifacts, which is
written before the first deletion and removed after the last one. ``stack check`` shows it, and the next ``prune``
finishes what it lists.
"""
