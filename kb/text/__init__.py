"""Chinese text as data: folding, segmenting, snippets, fingerprints. Pure: no network, no disk, no clock."""
