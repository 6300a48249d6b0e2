"""The chat channel: a message's address is the name of an endpoint, behind which a robot speaks to a group."""

from __future__ import annotations

from collections.abc import Mapping

from notifiers.contract import DeliveryError, Fault, Message, Notifier, Receipt


class Chat:
    """Hands each message to the robot of its endpoint; knows nothing of what providers want."""

    channel = "chat"

    def __init__(self, robots: Mapping[str, Notifier]) -> None:
        self._robots = dict(robots)

    def send(self, message: Message) -> Receipt:
        """Let the robot of the message's endpoint say it; raise DeliveryError when it was not, or not surely, taken."""
        robot = self._robots.get(message.address)
        if robot is None:
            raise DeliveryError("no endpoint of that name is configured", Fault.ADDRESS)
        return robot.send(message)

    def close(self) -> None:
        """Close every robot's connections."""
        for robot in self._robots.values():
            robot.close()
