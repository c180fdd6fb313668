"""kb: a self-hosted knowledge-base search service over Party-study materials (党建学习资料)."""

__version__ = "0.1.0"
