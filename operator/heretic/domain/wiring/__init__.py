"""Where the ports of a host lead: what is seen of its links, how ports are asked, and what the answers mean."""
