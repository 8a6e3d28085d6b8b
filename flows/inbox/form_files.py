"""Puts forms into the partners' folders: nothing that lies there is written over.

A partner may fill in a form where it lies. So it stays as it is, until the plan asks for something else: then it gets a
name with the date, and the new one lies in its place. It is noted for each form by which plan it was made, since what
lies in a partner's folder is anybody's.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path

from flows.inbox.own_files import give_name, has_file, make_folder, open_folder, unfinished
from flows.inbox.partner_folder import FORMS
from flows.inbox.receipt_files import is_open
from flows.storage.files import write_whole


class Put(StrEnum):
    """What was done with a form."""

    ISSUED = "issued"
    RENEWED = "issued again, since the plan has changed; the old one is kept beside it"
    THERE = "already there"
    SENT_BEFORE = "issued before, and no longer there"
    OPEN = "left for now: the old one is open in Excel or LibreOffice"
    IN_THE_WAY = "left: something else has its name"

    @property
    def is_new(self) -> bool:
        """Whether a form lies there that did not before."""
        return self in (Put.ISSUED, Put.RENEWED)

    @property
    def is_trouble(self) -> bool:
        """Whether the partner does not have the form that it should have."""
        return self in (Put.OPEN, Put.IN_THE_WAY)


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its file name, the plan by which it is made, and what that asks in it, as a hash.

    `write` makes its bytes, which takes a while, and is called only if they are needed.
    """

    file_name: str
    write: Callable[[], bytes]
    plan: str
    asks: str


@dataclass(frozen=True, slots=True)
class FormNote:
    """That a form was issued: by which plan, what that asks in it, and whether it came so far as to lie there."""

    plan: str
    asks: str
    is_there: bool


class IssuedForms:
    """The notes of one partner's forms, which no partner can reach."""

    def __init__(self, notes: Path, partner_code: str) -> None:
        """The folder of the notes is made when it is needed."""
        self._own = notes / partner_code

    def read(self, file_name: str) -> FormNote | None:
        """What is noted of a form; None if nothing is."""
        try:
            return FormNote(**json.loads((self._own / f"{file_name}.json").read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, file_name: str, note: FormNote) -> None:
        """Note it, all or nothing.

        Raises:
            OSError: it cannot be noted.
        """
        self._own.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._own / f"{file_name}.json", json.dumps(asdict(note)).encode())


def put_form(folder: Path, form: Form, issued: IssuedForms, today: date, *, is_asked_for: bool) -> Put:
    """Put a form into the folder of forms in a partner's folder, whole or not at all.

    `is_asked_for` where somebody wants the partner to have it: then it is put there again if the partner has moved it
    or thrown it away.

    Raises:
        OSError: the folder is a link or not a folder, or it cannot be written to.
    """
    forms = folder / FORMS
    make_folder(forms, folder.stat())
    place = open_folder(forms)
    try:
        return _put(form, place, issued, today, is_asked_for)
    finally:
        os.close(place)


def _put(form: Form, place: int, issued: IssuedForms, today: date, is_asked_for: bool) -> Put:
    note, name = issued.read(form.file_name), form.file_name
    is_there = has_file(name, place)
    now = FormNote(form.plan, form.asks, is_there=True)
    is_same = note is None or note.plan == form.plan or note.asks == form.asks
    if is_there and is_same:
        # One that was found there is as good as issued: from now on it is seen if the plan asks for something else.
        if note != now:
            issued.write(name, now)
        return Put.THERE
    if not is_there and note is not None and note.is_there and is_same and not is_asked_for:
        return Put.SENT_BEFORE
    if is_there and is_open(name, place, time.time()):
        return Put.OPEN
    with unfinished(form.write(), place) as temporary:
        if is_there:
            # Before the name is free: a process that is killed now leaves the form to the next.
            issued.write(name, replace(now, is_there=False))
            os.rename(name, _dated(name, today, place), src_dir_fd=place, dst_dir_fd=place)
        if not give_name(temporary, name, place):
            return Put.IN_THE_WAY
        os.fsync(place)
    issued.write(name, now)
    return Put.RENEWED if is_there else Put.ISSUED


def _dated(name: str, today: date, place: int) -> str:
    """A free name for a form that another takes the place of."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name and no path
    dated, number = f"{stem} (until {today.isoformat()}){suffix}", 1
    while has_file(dated, place):
        number += 1
        dated = f"{stem} (until {today.isoformat()}, {number}){suffix}"
    return dated
