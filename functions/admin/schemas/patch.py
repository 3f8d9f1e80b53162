from typing import Any, ClassVar

from pydantic import BaseModel


class Patch(BaseModel):
    """Changes to a record: an absent field is left alone, `null` clears one.

    Attributes:
        renamed: the domain's name of a field, where it differs from the wire's.
        not_clearable: fields that always have a value; `null` leaves them alone too.
    """

    renamed: ClassVar[dict[str, str]] = {}
    not_clearable: ClassVar[frozenset[str]] = frozenset()

    def changes(self) -> dict[str, Any]:
        """What to change, by the domain's names."""
        return {
            self.renamed.get(name, name): value
            for name in self.model_fields_set
            if (value := getattr(self, name)) is not None or name not in self.not_clearable
        }
