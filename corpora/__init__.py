"""What is read: record types, readers, issue tree, unit directory, places, configuration."""
