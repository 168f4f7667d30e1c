"""One output format a file: HTML, JSON, JUnit XML, Markdown, and text for a terminal."""
