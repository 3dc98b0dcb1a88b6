"""The oVirt engine's API: one session an engine, over HTTPS, by the model that the oVirt SDK brings along."""
