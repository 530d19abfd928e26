"""Take a monolithic Python web application apart into services, and prove that they answer alike."""

__version__ = "0.1.0"
