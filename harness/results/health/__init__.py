"""The health of a search: what varied in it, and which of its checks of itself failed."""
