"""Pages made of templates: HTML files of a package that jinja2 fills in."""

from typing import Any


def render(package: str, template: str, **values: Any) -> str:
    """The text of a page. All values are escaped, but those that are `markupsafe.Markup` already.

    Args:
        package: whose folder holds the template, such as "esrgan_cli".
        template: name of the file.
        values: what the template names; one that is missing is an error.
    """
    # takes longer to import than most commands to start, and few make a page
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)
