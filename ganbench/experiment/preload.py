"""What workers are forked with: slow to import, and nobody's plugin. Reading this imports nothing."""

PRELOAD = ("torch", "torch._dynamo", "numpy", "pydantic", "scipy.linalg", "scipy.special", "safetensors.torch")
