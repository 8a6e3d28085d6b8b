"""Takes a collection of many returns apart before it is ingested: each return becomes a file of its own."""

from pathlib import Path

from cypp_etl.checking.confined import shared_checker
from cypp_etl.checking.opening import Received
from flows.ingestion.context import Workplace, read
from flows.storage.files import path_as_text


def take_apart(workplace: Workplace, file: Path, into: Path) -> dict[str, str]:
    """Write the returns in a collection into a folder, once its own bytes are archived; none if it is not one.

    Each path is given with that by which the warehouse is to know the return: it names the collection, and the
    beginning of the SHA-256 under which the archive has it.

    Raises:
        OSError: the file cannot be read, or a return cannot be written.
    """
    if not any(layout.is_flat for layout in workplace.plan.layouts.values()):
        return {}
    kept = workplace.keep(file, follow_links=True)
    pieces = shared_checker().take_apart(workplace.plan, Received(path_as_text(file), read(kept), size=kept.size))
    # Runs are named after the folder and the file; two collections may have the same name.
    folder = into / kept.sha256[:12] / file.stem
    if pieces:
        folder.mkdir(parents=True, exist_ok=True)
    known_as: dict[str, str] = {}
    whole = file.absolute().with_name(f"{file.name} (SHA-256 {kept.sha256[:12]})")
    for piece in pieces:
        path = folder / piece.file_name
        path.write_bytes(piece.data)
        known_as[path_as_text(path)] = path_as_text(whole / piece.file_name)
    return known_as
