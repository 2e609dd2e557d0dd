"""One log line for each request: what was asked and how it ended, nothing of what was sent."""

import structlog


class AccessLog:
    """Writes the lines; create it when logging is configured."""

    def __init__(self) -> None:
        # Bound once: an unbound logger reads the configuration again for each line.
        self._log = structlog.get_logger().bind()

    def record(self, path: str, status: int, seconds: float, request_id: str) -> None:
        """Log a request that has ended."""
        self._log.info(
            "request", path=path, status=status, ms=round(seconds * 1000, 1), request=request_id
        )
