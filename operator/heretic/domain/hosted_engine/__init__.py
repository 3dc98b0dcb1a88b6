"""The engine of the site: its data center, its cluster, its health."""
