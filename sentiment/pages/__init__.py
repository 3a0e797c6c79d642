"""Self-contained HTML pages for people: inline CSS and SVG, no script, no network."""
