"""Pages made of templates: HTML files that jinja2 fills in."""

from typing import Any


def render(module: str, template: str, **values: Any) -> str:
    """The text of a page. All values are escaped, but those that are `markupsafe.Markup` already.

    Args:
        module: the full name of one beside which the template lies.
        template: name of the file.
        values: what the template names; one that is missing is an error.
    """
    # takes longer to import than most commands to start, and few make a page
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(module, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)
