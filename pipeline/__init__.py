"""What happens to a text: pure functions, with no files, network, scheduler or globals."""
