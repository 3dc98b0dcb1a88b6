"""NFS-Ganesha: what serves files over NFS."""
