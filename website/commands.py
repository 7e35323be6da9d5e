"""A page for every command, from the parsers that print `esrgan COMMAND --help`."""

import argparse
import re
from collections.abc import Iterator
from typing import cast

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from esrgan_cli.main import make_parser

FOLDER = "reference/commands"
WIDTH = 88
MARKS = re.compile(r"([\\*_\[\]<>|])")
# argparse says in no other way which commands a parser has
Commands = argparse._SubParsersAction  # pyright: ignore[reportPrivateUsage]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each command, and one that lists them."""
    parser = make_parser()
    files.append(File.generated(config, f"{FOLDER}/index.md", content=overview(parser)))
    for name, (command, _) in commands_of(parser).items():
        files.append(File.generated(config, f"{FOLDER}/{name}.md", content=page_of(command)))
    return files


def overview(parser: argparse.ArgumentParser) -> str:
    """The first page: each command with its one line, and what all of them have in common."""
    rows = [
        f"| [esrgan {name}]({name}.md) | {escaped(text)} |" for name, (_, text) in commands_of(parser).items()
    ]
    return "\n".join(
        [
            "# Commands",
            "",
            escaped(parser.description or ""),
            "",
            "| command | what it does |",
            "|---|---|",
            *rows,
            "",
            "Results go to stdout, everything else to stderr.",
            "",
            "| exit status | meaning |",
            "|---|---|",
            "| 0 | done |",
            "| 1 | failed, or a part of the work failed |",
            "| 2 | wrong usage; nothing was done |",
            "| 3 | a converted network is out of tolerance |",
            "| 129, 130, 143 | stopped by SIGHUP, Ctrl-C or SIGTERM |",
            "",
        ]
    )


def page_of(command: argparse.ArgumentParser) -> str:
    """The page of one command; its verbs, where it has some, are sections."""
    lines = [f"# {command.prog}", "", *body_of(command, level=2)]
    for verb, _ in commands_of(command).values():
        lines += [f"## {verb.prog}", "", *body_of(verb, level=3)]
    return "\n".join(lines)


def body_of(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """Description, usage, arguments in their groups, and what the help ends with."""
    text = parser.description or ""
    yield from (escaped(text[:1].upper() + text[1:].rstrip(".") + "."), "")
    usage = argparse.HelpFormatter(parser.prog, width=WIDTH)
    usage.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups)
    yield from ("```text", usage.format_help().strip(), "```", "")
    formatter = argparse.HelpFormatter(parser.prog, width=WIDTH)
    for group in parser._action_groups:
        shown = [
            action
            for action in group._group_actions
            if action.help != argparse.SUPPRESS and not isinstance(action, Commands)
        ]
        if not shown:
            continue
        title = (group.title or "").removeprefix("positional ")
        yield from (f"{'#' * level} {escaped(title[:1].upper() + title[1:])}", "")
        if group.description:
            yield from (escaped(group.description), "")
        for action in shown:
            yield f"`{formatter._format_action_invocation(action)}`"
            text = formatter._expand_help(action) if action.help else "See the description."
            yield from (f":   {escaped(text)}", "")
    if parser.epilog:
        raw = parser.formatter_class is argparse.RawDescriptionHelpFormatter
        yield from (["```text", parser.epilog.strip(), "```"] if raw else [escaped(parser.epilog)])
        yield ""


def commands_of(parser: argparse.ArgumentParser) -> dict[str, tuple[argparse.ArgumentParser, str]]:
    """The parsers below one, by name, each with its line in the list of commands."""
    for action in parser._actions:
        if isinstance(action, Commands):
            below = cast("dict[str, argparse.ArgumentParser]", action.choices)
            texts = {choice.dest: choice.help or "" for choice in action._choices_actions}
            return {name: (found, texts[name]) for name, found in below.items()}
    return {}


def escaped(text: str) -> str:
    """Plain text as Markdown; what stands in backticks is code already."""
    parts = text.split("`")
    return "`".join(part if at % 2 else MARKS.sub(r"\\\1", part) for at, part in enumerate(parts))
