from unit.hosted_engine.conftest import server, site

__all__ = ["server", "site"]
