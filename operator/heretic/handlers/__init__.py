"""Handlers: kopf and nothing else. Watches feed the store, a daemon an object runs passes, deletion finalizes."""

from heretic.handlers.objects import register

__all__ = ["register"]
