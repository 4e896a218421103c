"""Where the story can happen. A place has the API of tests/e2e's Gateway, and what the classes here add."""
