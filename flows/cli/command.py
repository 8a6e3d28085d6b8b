"""A command that is known by its name and summary, and whose module is imported once it is asked for."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from cypp_etl.gc_control import imported_for_good
from flows.cli.terminal import say
from flows.extras import advice
from flows.settings import read_settings


class Command(TyperCommand):
    """Stands for the function of its name in a module; if an extra is missing, it says so and imports nothing."""

    def __init__(self, path: str, module: str, summary: str) -> None:
        """Take what is typed after `cypp`, such as `plan adopt`, and the full name of the module.

        The function is named as the last word; the summary is the first paragraph of its docstring.
        """
        settings = {"ignore_unknown_options": True, "allow_extra_args": True}
        super().__init__(path.rpartition(" ")[2], help=summary, context_settings=settings, rich_markup_mode=None)
        self._path, self._module, self._summary = path, module, summary
        self._missing = ""

    def load(self) -> TyperCommand:
        """Import the module, and give the command that its function is."""
        with imported_for_good():
            module = import_module(self._module)
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(self.name)(getattr(module, str(self.name).replace("-", "_")))
        command = typer.main.get_command(app)
        assert isinstance(command, TyperCommand)  # noqa: S101 - of one function, Typer makes no group
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Begin to run it, or to show its help; both are left to the function, if there is all that it needs."""
        self._missing = advice(self._path, read_settings().warehouse_url)
        if not self._missing:
            return self.load().make_context(info_name, args, parent, **extra)
        self.help = f"{self._summary}\n\n{self._missing}"
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """End with status 2: an extra is missing."""
        say(self._missing, err=True)
        raise typer.Exit(2)
