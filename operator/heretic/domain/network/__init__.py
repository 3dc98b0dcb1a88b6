"""The site's networks, as far as nodes refer to them."""
