"""All that is public, by name."""

import inspect

import skdensity
import skdensity.datasets
import skdensity.information
import skdensity.testing

# The modules with public names.
FACES = (skdensity, skdensity.datasets, skdensity.information, skdensity.testing)


def public_objects():
    for module in FACES:
        for name in module.__all__:
            value = getattr(module, name)
            yield f"{module.__name__}.{name}"
            if inspect.isclass(value):
                for method, function in inspect.getmembers(value, callable):
                    source = getattr(function, "__module__", None) or ""
                    if source.startswith("skdensity") and not method.startswith("_"):
                        yield f"{module.__name__}.{name}.{method}"


PUBLIC = list(public_objects())
