"""Bulk scoring: files, buckets, tables and streams in; the same rows with scores, rejects and a manifest out."""
