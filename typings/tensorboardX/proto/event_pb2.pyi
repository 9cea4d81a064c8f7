from typing import Any

class Event:
    def __init__(self, **fields: Any) -> None: ...

class SessionLog:
    START: int
    def __init__(self, **fields: Any) -> None: ...
