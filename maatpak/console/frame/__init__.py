"""What all pages of the console share: declarations, and the one engine that serves them as HTML and as JSON."""
