"""Sources of plugins that tests write to disk."""

GOOD = """
import ganbench

class Good(ganbench.Model):
    name = "{name}"

@ganbench.hookimpl
def ganbench_register_models(register):
    register(Good)
"""
SHIPPED = {"dcgan", "vanilla", "vae"}

METRIC = """
@ganbench.hookimpl
def ganbench_register_metrics(register):
    for name in {names}:
        register(ganbench.Metric(
            name=name, title="Ink", direction="lower", meaning="ink", source="a test", compute=lambda context: 0.0
        ))
"""
