"""GlusterFS: the trusted pool and the volumes."""
