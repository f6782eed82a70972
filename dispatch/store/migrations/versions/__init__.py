"""The steps, oldest first. A step that has been released is never edited: what changes later is a step of its own."""
