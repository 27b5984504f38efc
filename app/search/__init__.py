"""Full-text search: our tokens in the database's own index, the same answers from both."""
