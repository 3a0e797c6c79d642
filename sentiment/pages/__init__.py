"""Self-contained HTML pages: inline CSS and SVG, no script, no network."""
