"""Kubernetes: status, events, leases, secrets."""
