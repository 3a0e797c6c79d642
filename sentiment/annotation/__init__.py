"""Annotation: live texts that people label in Label Studio or Argilla, and their answers."""
