"""What Prometheus reads of one serving process."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Every series of the service, in a registry of its own."""

    def __init__(self) -> None:
        self._named: tuple[str, ...] = ()
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "switchboard_requests", "Calls by path and status.", ["path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "switchboard_request_seconds", "Time to answer a call.", ["path"], buckets=SECONDS, registry=registry
        )
        self.decisions = Counter(
            "switchboard_decisions",
            "Decisions by label, outcome and reason.",
            ["label", "outcome", "reason"],
            registry=registry,
        )
        self.item_errors = Counter("switchboard_item_errors", "Messages answered with an error.", registry=registry)
        self.queue = Gauge("switchboard_queue_messages", "Messages waiting to be scored.", registry=registry)
        self.batch_messages = Histogram(
            "switchboard_batch_messages",
            "Messages a batch.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=registry,
        )
        self.batch_seconds = Histogram("switchboard_batch_seconds", "Time a batch.", buckets=SECONDS, registry=registry)
        self.tokens = Counter("switchboard_tokens", "Estimated tokens scored.", registry=registry)
        self.scored = Counter("switchboard_scored", "Texts computed by the model.", registry=registry)
        self.cached = Counter("switchboard_cached", "Messages answered from the cache of scores.", registry=registry)
        self.cache_entries = Gauge("switchboard_cache_entries", "Texts in the cache of scores.", registry=registry)
        self.ready = Gauge("switchboard_ready", "1 when a verified model is served.", registry=registry)
        self.model = Gauge(
            "switchboard_model_info",
            "1 for the model served.",
            ["name", "version", "digest", "taxonomy_version"],
            registry=registry,
        )
        self.swaps = Counter("switchboard_model_swaps", "Champions taken into service.", registry=registry)
        self.swap_failures = Counter("switchboard_model_swap_failures", "Champions refused.", registry=registry)
        self.log_waiting = Gauge("switchboard_log_waiting", "Decisions waiting for the database.", registry=registry)
        self.log_written = Counter("switchboard_log_written", "Decisions written to the database.", registry=registry)
        self.log_spilled = Counter("switchboard_log_spilled", "Decisions spilled to the file.", registry=registry)
        self.log_lost = Counter("switchboard_log_lost", "Decisions neither written nor spilled.", registry=registry)
        self.feedback = Counter("switchboard_feedback", "Corrections received.", registry=registry)

    def name_model(self, versions: dict[str, str]) -> None:
        """Show which model is served: 1 for it, 0 for those before."""
        if self._named:
            self.model.labels(*self._named).set(0)
        self._named = tuple(versions[name] for name in ("name", "version", "digest", "taxonomy_version"))
        self.model.labels(*self._named).set(1)
        self.ready.set(1)

    def page(self) -> bytes:
        """Return the page that Prometheus scrapes."""
        return generate_latest(self.registry)
