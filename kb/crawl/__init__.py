"""The network: what a source is, how one page is fetched, how a site is walked."""
