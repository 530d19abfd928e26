"""Take a monolithic Python web application apart into services, and prove that they answer."""

__version__ = "0.1.0"
