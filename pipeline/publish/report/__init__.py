"""One self-contained HTML page per delivery day: a verdict for ten seconds, plots for the rest. Works offline."""
