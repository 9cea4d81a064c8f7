from typing import Any

class Summary:
    Value: Any
    def __init__(self, **fields: Any) -> None: ...
