"""Reviews: where they come from, how they are cleaned, checked and split."""
