"""What the end-to-end suites share: the server under test, waiting, and reading histories."""
