"""Who shares what in an inbox: the groups of its files and folders, which may have other numbers on another machine."""

import os
import stat
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

try:
    import grp
except ImportError:  # Windows has no such groups.
    grp = None  # type: ignore[assignment]


def names_of_groups(numbers: Collection[int]) -> dict[str, str]:
    """The names of groups of this machine, by their number as text; one without a name is left out."""
    if grp is None:
        return {}
    names = {each.gr_gid: each.gr_name for each in grp.getgrall()}
    return {str(number): names[number] for number in sorted(numbers) if number in names}


@dataclass(slots=True)
class Shares:
    """Lets those have something who had it on the machine of a backup, whose `groups` have names by number as text.

    What cannot be given to its group is its owner's alone: the number may be another partner's group here.
    """

    groups: Mapping[str, str]
    _refused: Counter[str] = field(default_factory=Counter)

    def give(self, path: Path, mode: int, group: int) -> None:
        """Give a file or folder its mode and its group.

        Raises:
            OSError: it is not there any more.
        """
        name = self.groups.get(str(group))
        try:
            number = grp.getgrnam(name).gr_gid if grp and name else group
            if path.lstat().st_gid != number:
                os.chown(path, -1, number)
        except (KeyError, PermissionError):
            self._refused[name or str(group)] += 1
            mode &= stat.S_IRWXU
        path.chmod(mode)

    def sentences(self) -> list[str]:
        """What could not be given to its group, a sentence for each group."""
        return [
            f"{count} of the inbox could not be given to the group {name}, and {'is' if count == 1 else 'are'} open to "
            f"the owner alone: make the group, let this user join it, and give them with chgrp and chmod."
            for name, count in sorted(self._refused.items())
        ]
