"""The API: what a user writes and reads with kubectl. Models only; nothing here acts."""
