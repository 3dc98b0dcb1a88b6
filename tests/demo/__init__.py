"""`make demo`: three blank virtual machines become a replicated volume, before the reader's eyes."""
