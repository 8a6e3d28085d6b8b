"""What lies in a partner's folder beside the returns that the partner drops there, and how it is called.

inbox/
└── yos/                 a partner's folder, named after the partner's code
    ├── any name.xlsx    a return: taken once nobody writes to it any more
    ├── README.txt       what the folder is for
    ├── status.html      which returns came, are missing or are due, and which queries are open
    ├── forms/           the forms to fill in
    ├── replies/         the receipts
    └── .taken/          what is on its way out of the folder or into it, for a moment
"""

from pathlib import Path

README, STATUS = "README.txt", "status.html"
FORMS, REPLIES, ASIDE = "forms", "replies", ".taken"


def is_form_path(path: Path) -> bool:
    """Whether a path in a partner's folder is that of a form that was put there: whatever is in it, it is no return."""
    return path.parent.name.casefold() == FORMS
