"""Heretic: keeps a hyperconverged site in the state that Kubernetes resources declare."""
