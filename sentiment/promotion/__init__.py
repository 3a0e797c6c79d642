"""Whether the challenger replaces the champion: rules, comparison, settings."""
