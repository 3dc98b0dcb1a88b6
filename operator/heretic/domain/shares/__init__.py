"""FileShares: folders of a volume that clients reach at floating addresses."""
