"""The documents of local pages and their parts, from templates; what others have named is shown as text."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..system.html_page import page_templates

if TYPE_CHECKING:
    from jinja2 import Environment

    from .request_guard import PageRequest


class PageTemplates:
    """The templates of a package, in its folder `templates`, above those of this one.

    Args:
        package: The package's name.
        filters: More filters for its templates.
    """

    def __init__(self, package: str, **filters: Any) -> None:
        self._package = package
        self._filters = filters

    def render(self, template: str, request: PageRequest, **values: Any) -> str:
        """A document for this request."""
        return self._environment.get_template(template).render(request=request, **values)

    def part(self, template: str, **values: Any) -> str:
        """A part of a document, to be published as `{"html": ...}`."""
        return self._environment.get_template(template).render(**values)

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import ChoiceLoader, PackageLoader

        environment = page_templates(self._package)
        base = PackageLoader("devserver.webpages", "templates")
        environment.loader = ChoiceLoader([environment.loader or base, base])
        environment.filters.update(self._filters)
        return environment
