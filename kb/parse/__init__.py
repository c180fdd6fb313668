"""Bytes or lines -> Article. Pure: no network, no disk, no clock."""
