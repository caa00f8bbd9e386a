"""A case: YAML and CSV in, one typed `Case` out, or every mistake at once."""
