"""One function a tick: poll, sweep, send, watch; each may be killed at any line and run again."""
